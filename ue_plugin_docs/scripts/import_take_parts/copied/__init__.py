"""Copies of the bridge's modules, made by scripts/make_import_take.py: do not edit."""
