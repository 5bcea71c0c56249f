"""The tiny network that tests of loading and running share."""

from __future__ import annotations

from tiny_networks import tiny_checkpoint, tiny_run

__all__ = ["tiny_checkpoint", "tiny_run"]
