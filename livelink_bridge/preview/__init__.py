"""The animator's session in the browser."""
