"""`animate`: a recording to frames, identical to those that `convert` writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arkit_mapping.channels import CHANNELS_61, FRAME_RATE, MOUTH_32, index_of
from arkit_mapping.takes.csv import Take, TakeError, write_take
from livelink_bridge.api.parts import model_of, settings_of
from livelink_bridge.api.sound import checked_rate, checked_sound
from livelink_bridge.audio.pcm import Sound
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.errors import SinkError, UsageError

if TYPE_CHECKING:
    from livelink_bridge.session.offline import Conversion
    from speech_to_face.base import SpeechToFace

_MAX_CHANNELS = 32
"""Most audio channels of an array: a larger second dimension is a transposed array."""
_MOUTH = [index_of(name) for name in MOUTH_32]


@dataclass(frozen=True, slots=True, eq=False)
class Animation:
    """The face animation of a recording. Frame k belongs to the audio at k / 60 s."""

    poses: NDArray[np.float32]
    """float32 (n, 61) in wire order: 52 ARKit weights in [0, 1], then 9 head and eye angles in radians. The last 29
    frames lie after the end of the audio and decay to neutral."""
    seconds: float
    """Length of the audio, seconds."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the 61 channels of `poses`, PascalCase, in packet order."""
        return CHANNELS_61

    @property
    def coefficients(self) -> NDArray[np.float32]:
        """float32 (n, 32) in [0, 1]: the columns of `poses` that speech moves, in `arkit_mapping.MOUTH_32` order.

        Mood and character are applied; `model.animate` gives the network's own prediction.
        """
        return self.poses[:, _MOUTH]

    @property
    def times_s(self) -> NDArray[np.float64]:
        """float64 (n,): the time of each frame, seconds from the start of the audio."""
        return np.arange(len(self.poses)) / FRAME_RATE

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a take atomically, replacing an existing file. The extension is .csv, .json, .npz or .glb.

        A .csv is byte for byte what `livelink-bridge convert` writes. Raises UsageError for another extension,
        SinkError for a file that cannot be written.
        """
        from livelink_bridge.takes.export import export_take, kind_of

        out = Path(path)
        if kind_of(out) == ".csv":
            _write_csv(out, self.poses)
        else:
            export_take(Take(self.poses, self.times_s, FRAME_RATE), out, force=True)


def animate(
    sound: str | os.PathLike[str] | ArrayLike,
    sample_rate: int | None = None,
    *,
    model: str | os.PathLike[str] | SpeechToFace = "pmmtalk-live",
    character: str | os.PathLike[str] | None = None,
    liveliness: bool = True,
    seed: int = 0,
    mood: str | None = None,
    device: str = "auto",
    allow_cut: bool = False,
) -> Animation:
    """Animate a recording, faster than real time. The same audio and arguments give the same frames.

    Parameters
    ----------
    sound : an audio file (wav, flac, ogg, mp3 and the like), or float (n,) or (n, channels) in [-1, 1], or int16 of
        these shapes
    sample_rate : Hz, 8000 to 192000; required for an array, refused for a file, which has its own
    model : a shipped model's name, a model's folder, or a model from `speech_to_face.load_model`, which is loaded once
        for many calls
    character : a character file, see `livelink-bridge character`; None leaves the frames as predicted
    liveliness : whether to add blinks, gaze, brows and breath
    seed : random seed of liveliness, 0 to 4294967295
    mood : such as "happy:0.4" or "sad:0.3,afraid:0.2"; None is neutral
    device : "auto", "cpu", "cuda" or "mps"
    allow_cut : whether to accept a file that is shorter than its header says, which is a SourceError otherwise

    Raises
    ------
    UsageError for invalid audio or arguments (ConfigError is a subclass), SourceError for an audio file that cannot be
    read, BridgeError for a character file that cannot be read, ModelError (`speech_to_face.base`) for a model or a
    device that is not available.
    """
    from livelink_bridge.session import build
    from livelink_bridge.session.offline import Conversion

    with _blocks_of(sound, sample_rate, allow_cut) as blocks:  # checked before a model is loaded
        face = build.face_of(
            settings_of(character=character, liveliness=liveliness, seed=seed, mood=mood), MonotonicClock()
        )
        return _animation(blocks, Conversion(model_of(model, device), face))


@contextmanager
def _blocks_of(
    sound: str | os.PathLike[str] | ArrayLike, rate: int | None, allow_cut: bool
) -> Iterator[Iterator[AudioBlock]]:
    """The audio in blocks. Raises UsageError, SourceError."""
    from livelink_bridge.session.offline import RECORDING_BLOCK_S
    from livelink_bridge.sources.audio_file import WavSource

    if not isinstance(sound, str | os.PathLike):
        if rate is None:
            raise UsageError("sample_rate: got none, expected the Hz of the array: animate(samples, 24000)")
        yield _cut(checked_sound(sound, _MAX_CHANNELS), checked_rate(rate))
        return
    if rate is not None:
        raise UsageError(f"sample_rate: got {rate} for {os.fspath(sound)}, expected none: a file has its own")
    with closing(
        WavSource(Path(sound), clock=MonotonicClock(), block_s=RECORDING_BLOCK_S, allow_cut=allow_cut)
    ) as source:
        yield source.blocks()


def _cut(samples: Sound, rate: int) -> Iterator[AudioBlock]:
    """Samples in the blocks in which a file is read."""
    from livelink_bridge.session.offline import RECORDING_BLOCK_S

    if not len(samples):
        raise UsageError("sound: got no samples, expected at least one")
    step = round(RECORDING_BLOCK_S * rate)
    return (AudioBlock(samples[at : at + step], rate, at, 0.0) for at in range(0, len(samples), step))


def _animation(blocks: Iterator[AudioBlock], conversion: Conversion) -> Animation:
    poses = np.concatenate(list(conversion.frames(blocks)))
    return Animation(poses, conversion.seconds)


def _write_csv(out: Path, poses: NDArray[np.float32]) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_take(out, poses)
    except TakeError as error:
        raise SinkError(str(error)) from error
    except OSError as error:
        raise SinkError(f"take {out} cannot be written: {error.strerror}") from error
