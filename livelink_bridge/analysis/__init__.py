"""Analysis of recordings: recognized phones, and lip closures at p, b and m."""
