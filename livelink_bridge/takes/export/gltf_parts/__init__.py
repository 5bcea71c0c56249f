"""Reads and writes glTF files; the built-in mask."""
