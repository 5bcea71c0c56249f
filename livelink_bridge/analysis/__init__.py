"""What is measured of a recording: its phones, and whether the lips close at p, b and m."""
