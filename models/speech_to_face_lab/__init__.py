"""Corpora, protocols, training, adaptation and evaluation of the networks. Imported by `train`, `adapt` and `evaluate`
alone."""
