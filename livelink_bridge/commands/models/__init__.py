"""Verbs about networks: list, train, adapt, evaluate."""
