"""Names and curves of a face: which channel is which, and what a pose looks like. Imports numpy and yaml only."""

from __future__ import annotations

from arkit_mapping.channels import ARKIT_52, CHANNELS_61, MOUTH_32, TAKE_COLUMNS
from arkit_mapping.remap import NEUTRAL, remap

__all__ = ["ARKIT_52", "CHANNELS_61", "MOUTH_32", "NEUTRAL", "TAKE_COLUMNS", "remap"]
