"""The program's version, written down once; pyproject.toml and every part that tells it read it here."""

from __future__ import annotations

__version__ = "0.1.0"
