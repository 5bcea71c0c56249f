"""The 52 blend shapes, by region."""
