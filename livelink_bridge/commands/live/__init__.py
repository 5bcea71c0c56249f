"""Verbs that move a face now."""
