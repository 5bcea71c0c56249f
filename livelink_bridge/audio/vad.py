"""Voice activity detection by Silero's network, run by ONNX Runtime.

The network and its numbers are those of silero-vad 6.2 (MIT licence, https://github.com/snakers4/silero-vad): 512
samples at 16 kHz, with the 64 before them, give one probability; two states of 128 numbers go from call to call.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.errors import BridgeError
from speech_to_face.base import Samples
from speech_to_face.onnx_sessions import open_session

SAMPLE_RATE = 16_000
CHUNK, CONTEXT, STATE = 512, 64, 128
PHASE = CHUNK // 2
"""Two interleaved rows of chunks give an answer every 16 ms: with one row, more first words are found later than the
network's look-ahead allows."""

_HEARD_BEST_DBFS = -22.0
"""Speech of about this level is detected soonest; quieter onsets are detected late."""
_MAX_GAIN_DB = 24.0
_FALL_DB = 0.2
"""Per chunk: how fast the gain's level forgets a loud moment, 6 dB a second."""


class Detector(Protocol):
    """VAD of one live voice."""

    def push(self, samples: Samples) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Take float32 (n,) at 16 kHz.

        Returns the answers that became ready: int64 (m,) samples pushed since `reset` when each was given, rising, and
        float32 (m,) probabilities of speech in [0, 1]. An answer depends neither on audio after its own sample nor on
        the chunking.
        """
        ...

    def reset(self) -> None:
        """Forget everything: the next sample is sample 0."""
        ...


class SileroDetector:
    """Silero's network on two interleaved rows of chunks, with its own gain for quiet voices."""

    def __init__(self, path: Path | None = None) -> None:
        """Raises BridgeError where the package is missing or its network cannot be run."""
        self._session = _open(path or silero_path())
        self._rate = np.array(SAMPLE_RATE, np.int64)
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next sample is sample 0."""
        self._kept = np.zeros(CONTEXT + PHASE, np.float32)
        self._given = 0
        self._states = [np.zeros((2, 1, STATE), np.float32)] * 2
        self._loud_dbfs = -np.inf

    def push(self, samples: Samples) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Take float32 (n,) at 16 kHz; see `Detector.push`."""
        self._kept = np.concatenate([self._kept, samples])
        ready = max(0, (len(self._kept) - CONTEXT - PHASE) // PHASE)
        voices = [self._voice(self._kept[at * PHASE :][: CONTEXT + CHUNK]) for at in range(ready)]
        self._kept = self._kept[ready * PHASE :]
        return np.arange(self._given - ready + 1, self._given + 1, dtype=np.int64) * PHASE, np.array(voices, np.float32)

    def _voice(self, window: Samples) -> float:
        row = self._given % 2
        self._given += 1
        feeds = {"input": self._levelled(window)[None], "state": self._states[row], "sr": self._rate}
        voice, self._states[row] = self._session.run(None, feeds)
        return float(voice[0, 0])

    def _levelled(self, window: Samples) -> Samples:
        fresh = window[CONTEXT:]
        level_dbfs = 10 * np.log10(float(fresh @ fresh) / CHUNK + 1e-12)
        self._loud_dbfs = max(level_dbfs, self._loud_dbfs - _FALL_DB / 2)
        gain_db = min(_MAX_GAIN_DB, max(0.0, _HEARD_BEST_DBFS - self._loud_dbfs))
        return np.asarray(np.clip(window * np.float32(10 ** (gain_db / 20)), -1.0, 1.0), np.float32)


def silero_path() -> Path:
    """The network's file inside the installed package, found without importing it: that would import torch.

    Raises BridgeError where it is not installed.
    """
    found = find_spec("silero_vad")
    path = Path(found.origin).parent / "data" / "silero_vad_16k_op15.onnx" if found and found.origin else None
    if path is None or not path.is_file():
        raise BridgeError(
            "the voice detector is missing: no package silero-vad 6.2 or later; pip install silero-vad, or use "
            "`--gate level`"
        )
    return path


@lru_cache(maxsize=1)
def _open(path: Path) -> Any:
    """One session for every voice: it takes 30 to 80 ms to open, keeps no state between calls and may be run by several
    threads at once."""
    try:
        return open_session(path, {"batch": 1, "sequence": CONTEXT + CHUNK})
    except ValueError as error:
        raise BridgeError(f"{path}: not a network ONNX Runtime can run ({error}); install silero-vad again") from error
