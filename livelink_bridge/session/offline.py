"""A whole recording's face, as fast as the machine goes: `convert`, batches, the Python API and the preview use it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from arkit_mapping.takes.csv import TakeError, TakeWriter
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.core.frames import FACE_CHANNELS, AudioBlock, FaceFrame, Weights
from livelink_bridge.errors import SinkError
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face
from livelink_bridge.face.jitter_buffer import tail
from livelink_bridge.reporting.metrics import Metrics, Summary
from livelink_bridge.session.model_thread import step
from livelink_bridge.sources.audio_file import Warn, WavSource
from speech_to_face.base import SpeechToFace

RECORDING_BLOCK_S = 10.0
"""Audio animated at a time: long enough for the network to run many steps at once, little memory all the same."""


class Conversion:
    """One recording on its way through the network. The face is reset: the same recording gives the same frames."""

    def __init__(self, model: SpeechToFace, face: Face) -> None:
        face.reset()
        self._animator, self._clock = Animator(model, face), MonotonicClock()
        self.metrics = Metrics()

    @property
    def seconds(self) -> float:
        """Length of the audio that was animated so far."""
        return self.metrics.sound_s

    @property
    def bad_poses(self) -> int:
        """Frames with a value that was not finite, in whose place the channel's last one stands."""
        return self._animator.bad_poses

    def frames(self, blocks: Iterable[AudioBlock], *, ends_neutral: bool = True) -> Iterator[Weights]:
        """The frames of the blocks as they become ready, and those that waited for audio.

        Parameters
        ----------
        blocks : the whole recording
        ends_neutral : whether a hold, a decay and a neutral tail of 0.5 s follow, as in a session

        Yields
        ------
        float32 (k, 61) in wire order, k at least 1
        """
        last: Weights = np.zeros(FACE_CHANNELS, np.float32)
        for frames in self._animated(blocks):
            if frames:
                last = frames[-1].weights
                yield np.stack([frame.weights for frame in frames])
        if ends_neutral:
            yield tail(last)

    def _animated(self, blocks: Iterable[AudioBlock]) -> Iterator[list[FaceFrame]]:
        for block in blocks:
            yield step(self._animator, block, self._clock, self.metrics)
        yield self._animator.flush()


def convert_file(
    path: Path,
    out: Path,
    model: SpeechToFace,
    face: Face,
    *,
    allow_cut: bool = False,
    say: Warn | None = None,
    before_naming: Callable[[], None] = lambda: None,
    on_progress: Callable[[float], None] = lambda _part: None,
) -> Summary:
    """Write the take of an audio file to `out`, as fast as the machine goes, in memory that does not grow with the
    file.

    The take is what `run_play` sends, frame for frame, from timecode 00:00:00:00.000, with MouthClose as predicted. An
    interrupted conversion leaves no file.

    Parameters
    ----------
    path, out : the audio file and the .csv; missing folders are made
    allow_cut, say : see `WavSource`
    before_naming : called when all rows are written, before the take has its name
    on_progress : gets the part done, 0 to 1

    Raises
    ------
    SourceError for a file that cannot be read, SinkError for a take that cannot be written.
    """
    conversion = Conversion(model, face)
    source = WavSource(path, clock=MonotonicClock(), block_s=RECORDING_BLOCK_S, allow_cut=allow_cut, warn=say)

    def reported(blocks: Iterable[AudioBlock]) -> Iterator[AudioBlock]:
        for block in blocks:
            yield block
            on_progress(min(1.0, conversion.seconds / source.duration_s) if source.duration_s else 0.0)

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with closing(source), TakeWriter(out) as take:
            for frames in conversion.frames(reported(source.blocks())):
                take.append(frames)
            before_naming()
    except TakeError as error:
        raise SinkError(str(error)) from error
    except OSError as error:
        raise SinkError(f"take {out} cannot be written: {error.strerror}") from error
    return Summary.of_take(str(out), take.rows, conversion.metrics, conversion.bad_poses)
