"""Wire formats: pure functions between bytes and values. No socket, no thread, no clock."""
