"""Clips of known subjects, the papers' training and test protocols, and readers of their corpora."""
