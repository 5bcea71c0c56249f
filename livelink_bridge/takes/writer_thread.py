"""One take while it is recorded: rows come from the sender's thread, a thread of its own writes them and their
sound."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.takes.folder import TakeFolder, write_audio_json, write_take_json
from arkit_mapping.takes.live import LiveTake
from arkit_mapping.takes.rows import DAY_S, TakeError, moment_of, timecode
from livelink_bridge.core.channel import Channel
from livelink_bridge.core.frames import Weights
from livelink_bridge.takes.audio_track import BITS, HeardSound, SoundFile, TakeSound
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.version import __version__
from livelink_bridge.wire.broadcast_wave import Format

_WRITE_S = 0.25
"""How often what came is written. The writer is not woken by each row: sixty times a second it would take the sender's
interpreter."""
_WAITING_ROWS = 8 * FRAME_RATE
"""Rows that may wait for the disk: less than the sound that is kept for them."""
_CLOSING_S = 10.0
"""A disk that takes longer to close a file hangs."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A take that is over."""

    timecode: str
    """Of the last pose: HH:MM:SS:FF.mmm."""
    csv: Path
    sound: Path | None
    """None where nothing was heard."""
    folder: Path
    complete: bool
    """False where it ended before it was stopped: a full disk."""


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    at_s: float
    """Seconds after the first row, on the session's timebase."""
    shown_s: float | None
    """Sound time of the pose."""
    weights: Weights


class Recording:
    """A take in a folder that was made for it. `add` is called by the sender, the rest by whoever records."""

    def __init__(
        self, folder: TakeFolder, subject: str, heard: HeardSound, begun: datetime, *, write_every_s: float = _WRITE_S
    ) -> None:
        """Raises TakeError where nothing can be written."""
        self.folder, self.ended = folder, False
        self.first = threading.Event()
        """Set when the first row has come, or none will."""
        self.begins_at = ""
        """Timecode of the first row, HH:MM:SS:FF.mmm; empty before it."""
        self._subject, self._heard, self._begun = subject, heard, begun
        self._first_at_s = self._first_of_day_s = 0.0
        self._last_moment = 0
        self._rows: Channel[_Row] = Channel(_WAITING_ROWS, "newest")
        self._said_lost = 0
        self._sound: TakeSound | None = None
        self._sound_file: SoundFile | None = None
        self._over = threading.Event()
        self._complete = False
        self._describe()
        self._take = LiveTake(folder.csv)
        self._thread = threading.Thread(
            target=self._run, args=(write_every_s,), name=f"take {folder.identifier}", daemon=True
        )
        self._thread.start()

    @property
    def lost(self) -> int:
        """Poses that were not written because the disk was too slow."""
        return self._rows.dropped

    @property
    def broken(self) -> bool:
        """Whether it ended because nothing more could be written."""
        return self.ended and not self._complete

    def add(self, weights: Weights, stamp: Stamp, shown_s: float | None) -> None:
        """Hand over a pose and the sound time that it shows. Takes microseconds, whatever the disk does."""
        at_s = (stamp.frame + stamp.subframe) / float(stamp.rate)
        if not self.begins_at:
            self._first_at_s, self._first_of_day_s = at_s, stamp.of_day_s
            self.begins_at = timecode(moment_of(stamp.of_day_s))
            self.first.set()
        if at_s - self._first_at_s >= DAY_S:
            self._over.set()
            return
        self._rows.put(_Row(at_s - self._first_at_s, shown_s, weights.copy()))

    def stop(self) -> Recorded | None:
        """Write what is left and close the files; None for a take without a row, which leaves nothing behind. Harmless
        twice."""
        self._rows.close()
        self._over.set()
        self._thread.join(_CLOSING_S)
        if not self.begins_at:
            self.folder.remove()
            return None
        return Recorded(
            timecode(self._last_moment),
            self.folder.csv,
            self.folder.sound if self._sound else None,
            self.folder.path,
            self._complete,
        )

    def discard(self) -> None:
        """Stop, and leave nothing behind."""
        self.stop()
        self.folder.remove()

    def _run(self, write_every_s: float) -> None:
        try:
            while not self._over.wait(write_every_s):
                self._write()
            self._write()
            self._close()
        except TakeError as error:
            self._break_off(str(error))
        except OSError as error:
            self._break_off(f"take {self.folder.sound} cannot be written: {error.strerror}")
        except Exception as error:  # a mistake of ours on this thread would leave the files open, and be seen by no one
            self._break_off(f"take {self.folder.identifier}: this is a bug: {type(error).__name__}: {error}")
        finally:
            self.ended = True
            self.first.set()

    def _write(self) -> None:
        rows = self._rows.take_while(lambda _row: True)
        for row in rows:
            self._last_moment = moment_of(self._first_of_day_s + row.at_s)
            self._take.append(self._last_moment, row.weights)
            self._write_sound(row.at_s, row.shown_s)
        self._take.flush()
        if self._sound_file and rows:
            self._sound_file.flush()
        if self.lost > self._said_lost:
            _log.warning(
                "take %s: the disk is too slow, %d poses were not written",
                self.folder.identifier,
                self.lost - self._said_lost,
            )
            self._said_lost = self.lost

    def _write_sound(self, at_s: float, shown_s: float | None) -> None:
        if self._sound is None:
            if self._heard.rate_hz is None:
                return
            self._sound_file = self._open_sound(self._heard.rate_hz)
            self._sound = TakeSound(self._heard, self._sound_file)
            self._describe()
        self._sound.row(at_s, shown_s)

    def _open_sound(self, rate_hz: int) -> SoundFile:
        reference = round(self._first_of_day_s * rate_hz)
        write_audio_json(self.folder, rate_hz=rate_hz, bits=BITS, channels=1)
        return SoundFile(self.folder.sound, Format(rate_hz, 1, BITS, reference, self._begun, self.folder.stem))

    def _close(self) -> None:
        self._take.close()
        if self._sound_file:
            self._sound_file.close()
        self._complete = True
        self._describe(self._take.rows)

    def _describe(self, frames: int = 0) -> None:
        write_take_json(
            self.folder,
            subject=self._subject,
            begun=self._begun,
            version=__version__,
            complete=self._complete,
            frames=frames,
            timecode=self.begins_at,
        )

    def _break_off(self, why: str) -> None:
        _log.error("%s; recording stops with row %d, the session goes on", why, self._take.rows)
        if self._sound_file:
            self._sound_file.abandon()
        with suppress(TakeError):  # the disk may have room for the little that is left to say, or not
            self._take.close()
            self._describe(self._take.rows)
