"""Records takes of the frames sent, on request; idle between takes."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from arkit_mapping.character.closure import LipRule
from arkit_mapping.takes.folder import MAX_TAKE, next_take, reserve, slate_part
from arkit_mapping.takes.rows import TakeError
from livelink_bridge.core.frames import AudioBlock, Weights
from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.takes.audio_track import AudioHistory
from livelink_bridge.takes.writer_thread import Recorded, Recording
from livelink_bridge.timing.shown import Shown
from livelink_bridge.timing.stamp import Stamp

__all__ = ["Recorded", "Recorder"]

_FIRST_POSE_S = 1.0
_REMEMBERED = 1000
"""Largest number of takes listed at the end of a session."""

_log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now().astimezone()


class Recorder:
    """A sink that writes takes with audio into the Live Link Face app's folder layout, without blocking the sender.

    The sender's thread calls `send`, the model's thread `hear`; any other thread may start and stop. A disk failure
    ends the take with one line in the log; the session continues. A take is at most 24 hours long.
    """

    closure: LipRule = "arkit"

    def __init__(
        self,
        folder: Path,
        *,
        subject: str,
        slate: str | None = None,
        now: Callable[[], datetime] = _now,
        first_pose_s: float = _FIRST_POSE_S,
    ) -> None:
        """
        Parameters
        ----------
        folder : where takes' folders are created
        subject : name of the Live Link subject
        slate : None is the subject's name
        now : local date and time; injected for tests
        first_pose_s : seconds that `start` waits for the first frame
        """
        self.name = f"take:{folder}"
        self.sent = 0
        self._folder, self._subject, self._slate = folder, subject, slate
        self._take: int | None = None
        self._done: deque[Path] = deque(maxlen=_REMEMBERED)
        self._now, self._first_pose_s = now, first_pose_s
        self._history = AudioHistory()
        self._shown = Shown()
        self._recording: Recording | None = None
        self._lost = self._missed = 0
        self._control = threading.RLock()

    @property
    def folder(self) -> Path:
        """Folder in which takes' folders are created."""
        return self._folder

    @property
    def recording(self) -> bool:
        """Whether a take is being written, or begins with the next frame."""
        recording = self._recording
        return recording is not None and not recording.ended

    @property
    def slate(self) -> str:
        """The slate as it appears in file names. A new slate restarts the take numbers."""
        return slate_part(self._slate or self._subject)

    @slate.setter
    def slate(self, slate: str) -> None:
        """Set the slate of the next take, which restarts the take numbers."""
        with self._control:
            self._slate, self._take = slate, None

    @property
    def take(self) -> int:
        """Number of the next take, unless another program creates a folder of that number first; `running` has the
        current one."""
        return self._take or next_take(self._folder, self.slate)

    @take.setter
    def take(self, number: int) -> None:
        """Set the number of the next take. Raises UsageError for an invalid one."""
        with self._control:
            self._take = _take_number(number)

    @property
    def running(self) -> tuple[str, int] | None:
        """Slate and number of the take that is being written or begins with the next frame; None when there is none."""
        recording = self._recording
        return None if recording is None or recording.ended else (recording.folder.slate, recording.folder.take)

    @property
    def subject(self) -> str:
        """Name of the Live Link subject; a change applies from the next take on."""
        return self._subject

    @subject.setter
    def subject(self, subject: str) -> None:
        """Set the subject of the next take."""
        with self._control:
            self._subject = subject

    @property
    def errors(self) -> int:
        """Frames missing from takes because the disk was slow or full."""
        recording = self._recording
        return self._lost + self._missed + (recording.lost if recording else 0)

    @property
    def takes(self) -> tuple[Path, ...]:
        """The .csv of each take that has rows, oldest first; the current one is last."""
        recording = self._recording
        return (*self._done, *([recording.folder.csv] if recording and recording.begins_at else []))

    def follow(self, shown: Shown) -> None:
        """Keep the audio in sync with the frames: `send` reads from `shown` the audio time of a frame."""
        self._shown = shown

    def hear(self, block: AudioBlock) -> None:
        """Store a block of the session's audio, also between takes: frames are later than their audio."""
        self._history.write(block)

    def tee(self, blocks: Iterator[AudioBlock]) -> Iterator[AudioBlock]:
        """Pass `blocks` through and store each."""
        for block in blocks:
            self.hear(block)
            yield block

    def send(self, weights: Weights, stamp: Stamp) -> None:
        """Record one frame while a take is running; see `Sink.send`."""
        recording = self._recording
        if recording is None:
            return
        if not recording.ended:
            recording.add(weights, stamp, self._shown.position_s)
            self.sent += 1
        elif recording.broken:
            self._missed += 1

    def arm(self, slate: str | None = None, take: int | None = None) -> None:
        """Record from the next frame on.

        Parameters
        ----------
        slate : None: as before
        take : take number; None: the next one

        Raises
        ------
        SinkError : a take is being recorded, or cannot be written
        UsageError : invalid take number
        """
        with self._control:
            if self.recording:
                assert self._recording is not None
                raise SinkError(
                    f"take {self._recording.folder.identifier} is being recorded already; stop it before another is "
                    "started"
                )
            self._finish()
            if slate is not None:
                self.slate = slate
            if take is not None:
                self.take = take
            begun = self._now()
            try:
                folder = reserve(self._folder, slate=self.slate, subject=self._subject, day=begun, take=self._take)
                self._recording = Recording(folder, self._subject, self._history, begun)
            except TakeError as error:
                raise SinkError(str(error)) from error
            if take is not None and folder.take != take:
                _log.warning("take %d of slate %s exists already; this one is take %d", take, folder.slate, folder.take)
            self._take = None if folder.take == MAX_TAKE else folder.take + 1

    def start(self, slate: str | None = None, take: int | None = None) -> str:
        """`arm`, and wait for the first frame. The sender's thread must not call this.

        Returns
        -------
        Timecode of the first frame, HH:MM:SS:FF.mmm as in the take

        Raises
        ------
        SinkError, UsageError : as `arm`; SinkError also when no frame arrives
        """
        self.arm(slate, take)
        recording = self._recording
        if recording is not None and recording.first.wait(self._first_pose_s) and recording.begins_at:
            _log.info("take %s begins at %s", recording.folder.identifier, recording.begins_at)
            return recording.begins_at
        self.cancel()
        raise SinkError(
            f"nothing was recorded: no frame within {self._first_pose_s:g} s; recording needs a session that sends"
        )

    def stop(self) -> Recorded:
        """End the take and return it, or the one that ended by itself. Raises SinkError when there is none."""
        with self._control:
            recorded = self._finish()
            if recorded is None:
                raise SinkError("nothing is being recorded; start a take before it is stopped")
            return recorded

    def cancel(self) -> None:
        """End the take and delete it. Harmless when none is recorded."""
        with self._control:
            recording, self._recording = self._recording, None
            if recording is not None:
                recording.discard()
                if recording.begins_at:
                    _log.info("take %s was removed", recording.folder.identifier)
                self._take = recording.folder.take

    def close(self) -> None:
        """End the take, if any. Harmless twice."""
        with self._control:
            self._finish()

    def _finish(self) -> Recorded | None:
        recording, self._recording = self._recording, None
        if recording is None:
            return None
        recorded = recording.stop()
        self._lost += recording.lost
        if recorded is not None:
            self._done.append(recorded.csv)
            _log.info(
                "take %s: %s to %s, %s",
                recording.folder.identifier,
                recording.begins_at,
                recorded.timecode,
                recorded.csv,
            )
        return recorded


def _take_number(number: int) -> int:
    if not 1 <= number <= MAX_TAKE:
        raise UsageError(f"got take {number}, expected a number from 1 to {MAX_TAKE}")
    return number
