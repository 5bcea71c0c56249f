"""Bytes <-> values, pure functions. No socket, no thread, no clock."""
