"""Writes one take while it is recorded: the sender's thread adds rows, a separate thread writes them and their
audio."""

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
from livelink_bridge.takes.audio_track import BITS, AudioHistory, AudioTrack, SoundFile
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.version import __version__
from livelink_bridge.wire.broadcast_wave import Format

_WRITE_S = 0.25
"""Interval of writing. The writer is not woken by each row: sixty times a second it would take the interpreter from the
sender."""
_WAITING_ROWS = 8 * FRAME_RATE
"""Largest number of rows that wait for the disk: shorter than the audio history."""
_CLOSING_S = 10.0
"""Time limit for closing the files; a disk that takes longer hangs."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A finished take."""

    timecode: str
    """Timecode of the last frame, HH:MM:SS:FF.mmm."""
    csv: Path
    """The frames."""
    sound: Path | None
    """The audio; None when there was none."""
    folder: Path
    """The take's folder."""
    complete: bool
    """False when it ended before it was stopped, for example on a full disk."""


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    at_s: float
    """Seconds after the first row, on the session's timebase."""
    shown_s: float | None
    """Audio time of the frame, seconds; None when it shows no audio."""
    weights: Weights


class Recording:
    """The take being recorded, in its own folder. The sender calls `add`, the controlling thread the other methods."""

    def __init__(
        self,
        folder: TakeFolder,
        subject: str,
        history: AudioHistory,
        begun: datetime,
        *,
        write_every_s: float = _WRITE_S,
    ) -> None:
        """
        Parameters
        ----------
        folder : the reserved folder
        subject : name of the Live Link subject
        history : recent audio of the session
        begun : local date and time
        write_every_s : interval of writing

        Raises
        ------
        TakeError : the files cannot be written
        """
        self.folder, self.ended = folder, False
        self.first = threading.Event()
        """Set with the first row, or when there will be none."""
        self.begins_at = ""
        """Timecode of the first row, HH:MM:SS:FF.mmm; empty before it."""
        self._subject, self._history, self._begun = subject, history, begun
        self._first_at_s = self._first_of_day_s = 0.0
        self._last_moment = 0
        self._rows: Channel[_Row] = Channel(_WAITING_ROWS, "newest")
        self._lost_logged = 0
        self._sound: AudioTrack | None = None
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
        """Frames that were not written because the disk was too slow."""
        return self._rows.dropped

    @property
    def broken(self) -> bool:
        """Whether it ended because of a write error."""
        return self.ended and not self._complete

    def add(self, weights: Weights, stamp: Stamp, shown_s: float | None) -> None:
        """Add a frame; takes microseconds, whatever the disk does.

        Parameters
        ----------
        weights : float32 (61,) in wire order
        stamp : send time
        shown_s : audio time of the frame, seconds; None when it shows no audio
        """
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
        """Write the remaining rows and close the files. Harmless twice.

        Returns
        -------
        The take; None when it has no row: its folder is removed then
        """
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
        """Stop, and delete the take's folder."""
        self.stop()
        self.folder.remove()

    def _run(self, write_every_s: float) -> None:
        try:
            while not self._over.wait(write_every_s):
                self._write()
            self._write()
            self._close()
        except TakeError as error:
            self._abort(str(error))
        except OSError as error:
            self._abort(f"take {self.folder.sound} cannot be written: {error.strerror}")
        except Exception as error:  # a bug on this thread would otherwise stay unseen and leave the files open
            self._abort(f"take {self.folder.identifier}: this is a bug: {type(error).__name__}: {error}")
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
        if self.lost > self._lost_logged:
            _log.warning(
                "take %s: the disk is too slow, %d frames were not written",
                self.folder.identifier,
                self.lost - self._lost_logged,
            )
            self._lost_logged = self.lost

    def _write_sound(self, at_s: float, shown_s: float | None) -> None:
        if self._sound is None:
            if self._history.rate_hz is None:
                return
            self._sound_file = self._open_sound(self._history.rate_hz)
            self._sound = AudioTrack(self._history, self._sound_file)
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

    def _abort(self, reason: str) -> None:
        _log.error("%s; recording stops with row %d, the session goes on", reason, self._take.rows)
        if self._sound_file:
            self._sound_file.abandon()
        with suppress(TakeError):  # the disk may or may not have room for these last bytes
            self._take.close()
            self._describe(self._take.rows)
