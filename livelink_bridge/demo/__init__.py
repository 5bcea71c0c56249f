"""The sentence that `livelink-bridge demo` speaks. CARD.md says where it comes from."""

from __future__ import annotations

from pathlib import Path

SENTENCE = Path(__file__).with_name("sentence.flac")
"""16 kHz mono FLAC, about 10 s."""
