"""The terminal of a running session: panel, status lines, keys and typed commands."""
