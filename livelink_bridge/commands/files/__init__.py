"""Verbs that read and write files."""
