"""Records takes of what is sent, when it is asked to; between takes it is idle."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from arkit_mapping.character.closure import LipRule
from arkit_mapping.takes.folder import MOST_TAKE, next_take, reserve, slate_part
from arkit_mapping.takes.rows import TakeError
from livelink_bridge.core.frames import AudioBlock, Weights
from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.takes.audio_track import HeardSound
from livelink_bridge.takes.writer_thread import Recorded, Recording
from livelink_bridge.timing.shown import Shown
from livelink_bridge.timing.stamp import Stamp

__all__ = ["Recorded", "Recorder"]

_FIRST_POSE_S = 1.0
_REMEMBERED = 1000
"""Takes of one session that are listed at its end."""

_log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now().astimezone()


class Recorder:
    """A sink that writes takes with their sound into the Live Link Face app's folders, without ever holding up the
    sender.

    The sender's thread calls `send`, the model's `hear`; any other may start and stop. A disk that fails ends the take,
    with one line in the log, and nothing else. A take is at most 24 hours long.
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
        """`slate` None is the subject's name. `first_pose_s` is how long `start` waits for a pose."""
        self.name = f"take:{folder}"
        self.sent = 0
        self._folder, self._subject, self._slate = folder, subject, slate
        self._take: int | None = None
        self._done: deque[Path] = deque(maxlen=_REMEMBERED)
        self._now, self._first_pose_s = now, first_pose_s
        self._heard = HeardSound()
        self._shown = Shown()
        self._recording: Recording | None = None
        self._lost = self._missed = 0
        self._asking = threading.RLock()

    @property
    def folder(self) -> Path:
        """Where its takes' folders are."""
        return self._folder

    @property
    def recording(self) -> bool:
        """Whether a take is being written, or is to begin with the next pose."""
        recording = self._recording
        return recording is not None and not recording.ended

    @property
    def slate(self) -> str:
        """As it stands in the names of files."""
        return slate_part(self._slate or self._subject)

    @slate.setter
    def slate(self, slate: str) -> None:
        """Another slate counts its takes anew."""
        with self._asking:
            self._slate, self._take = slate, None

    @property
    def take(self) -> int:
        """The number of the next take, unless another program makes a folder of that number first; see `running` for
        this one's."""
        return self._take or next_take(self._folder, self.slate)

    @take.setter
    def take(self, number: int) -> None:
        with self._asking:
            self._take = _take_number(number)

    @property
    def running(self) -> tuple[str, int] | None:
        """Slate and number of the take that is being written or is to begin with the next pose; None where there is
        none."""
        recording = self._recording
        return None if recording is None or recording.ended else (recording.folder.slate, recording.folder.take)

    @property
    def subject(self) -> str:
        return self._subject

    @subject.setter
    def subject(self, subject: str) -> None:
        """From the next take on."""
        with self._asking:
            self._subject = subject

    @property
    def errors(self) -> int:
        """Poses that a take should have and has not, because the disk was slow or full."""
        recording = self._recording
        return self._lost + self._missed + (recording.lost if recording else 0)

    @property
    def takes(self) -> tuple[Path, ...]:
        """The .csv of each take that has rows, oldest first; the one being recorded is the last."""
        recording = self._recording
        return (*self._done, *([recording.folder.csv] if recording and recording.begins_at else []))

    def follow(self, shown: Shown) -> None:
        """Keep the audio in step with the frames: `shown` is read in `send` and tells which moment a frame shows."""
        self._shown = shown

    def hear(self, block: AudioBlock) -> None:
        """Take a block of the session's sound as the source hands it over, also between takes: poses come later than
        their sound."""
        self._heard.hear(block)

    def tee(self, blocks: Iterator[AudioBlock]) -> Iterator[AudioBlock]:
        """The same blocks, heard on their way."""
        for block in blocks:
            self.hear(block)
            yield block

    def send(self, weights: Weights, stamp: Stamp) -> None:
        recording = self._recording
        if recording is None:
            return
        if not recording.ended:
            recording.add(weights, stamp, self._shown.position_s)
            self.sent += 1
        elif recording.broken:
            self._missed += 1

    def arm(self, slate: str | None = None, take: int | None = None) -> None:
        """Record from the next pose on. What is None is as before, the take number one higher.

        Raises SinkError where a take is being recorded or cannot be written, UsageError for a number that no take can
        have.
        """
        with self._asking:
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
                self._recording = Recording(folder, self._subject, self._heard, begun)
            except TakeError as error:
                raise SinkError(str(error)) from error
            if take is not None and folder.take != take:
                _log.warning(
                    "take %d of slate %s is there already; this one is take %d", take, folder.slate, folder.take
                )
            self._take = None if folder.take == MOST_TAKE else folder.take + 1

    def start(self, slate: str | None = None, take: int | None = None) -> str:
        """`arm`, and wait for the first pose; its timecode, HH:MM:SS:FF.mmm as in the take. Not to be called by the
        sender's thread.

        Raises what `arm` does, and SinkError where no pose comes.
        """
        self.arm(slate, take)
        recording = self._recording
        if recording is not None and recording.first.wait(self._first_pose_s) and recording.begins_at:
            _log.info("take %s begins at %s", recording.folder.identifier, recording.begins_at)
            return recording.begins_at
        self.cancel()
        raise SinkError(
            f"nothing was recorded: no pose came within {self._first_pose_s:g} s; recording needs a session that sends"
        )

    def stop(self) -> Recorded:
        """End the take, or give the one that ended by itself. Raises SinkError where there is none."""
        with self._asking:
            recorded = self._finish()
            if recorded is None:
                raise SinkError("nothing is being recorded; start a take before it is stopped")
            return recorded

    def cancel(self) -> None:
        """End the take and remove it. Harmless where none is recorded."""
        with self._asking:
            recording, self._recording = self._recording, None
            if recording is not None:
                recording.discard()
                if recording.begins_at:
                    _log.info("take %s is removed", recording.folder.identifier)
                self._take = recording.folder.take

    def close(self) -> None:
        """End the take, if one is recorded. Harmless twice."""
        with self._asking:
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
    if not 1 <= number <= MOST_TAKE:
        raise UsageError(f"got take {number}, expected a number from 1 to {MOST_TAKE}")
    return number
