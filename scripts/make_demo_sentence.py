"""Generate the sentence of `livelink-bridge demo`: flite's `slt` voice, 16 kHz mono, trimmed and normalized, as FLAC.

Needs `flite` on the path. Run from the repository: python scripts/make_demo_sentence.py
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

TEXT = (
    "Mama bought a big blue boat. "
    "We moved it up a fjord before the moon rose. Wow, what a view! "
    "Please, Bob, promise me five more apples for my poor old puppy."
)
"""Contains many visible phones: closed lips (p, b, m), lip to teeth (f, v), rounded lips (w, oo, o), wide jaw (a)."""

VOICE = "slt"
RATE_HZ = 16000
EDGE_S = 0.25
"""Silence before and after, so that the face starts and ends at neutral."""
PEAK = 0.7
QUIET = 0.01
"""Share of the peak under which the edges count as silence."""
TARGET = Path(__file__).resolve().parents[1] / "livelink_bridge" / "demo" / "sentence.flac"


def speak(text: str, voice: str) -> np.ndarray:
    """flite's speech, float32 (n,) at RATE_HZ."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(wav)], check=True, timeout=60)
        samples, rate_hz = soundfile.read(wav, dtype="float32")
    if rate_hz != RATE_HZ or samples.ndim != 1:
        raise SystemExit(f"flite gave {rate_hz} Hz, {samples.ndim} dimensions; expected {RATE_HZ} Hz mono")
    return samples


def frame(samples: np.ndarray) -> np.ndarray:
    """The speech with EDGE_S of silence around it and its peak at PEAK, float32 (n,)."""
    loud = np.flatnonzero(np.abs(samples) > QUIET * np.abs(samples).max())
    edge = np.zeros(int(EDGE_S * RATE_HZ), np.float32)
    speech = samples[loud[0] : loud[-1] + 1]
    return np.concatenate([edge, speech * (PEAK / np.abs(speech).max()), edge])


def main() -> None:
    """Parse the arguments and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=TARGET)
    out = parser.parse_args().out
    samples = frame(speak(TEXT, VOICE))
    soundfile.write(out, samples, RATE_HZ, format="FLAC", subtype="PCM_16")
    print(f"{out}: {len(samples) / RATE_HZ:.2f} s")


if __name__ == "__main__":
    main()
