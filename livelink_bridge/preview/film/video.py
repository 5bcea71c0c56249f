"""A video of the face with its audio: the page renders one picture per frame, ffmpeg encodes them.

ffmpeg is not part of this program; everything else works without it. Pictures are passed to it as they arrive, so that
no more than one is in memory.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, Literal

from arkit_mapping.whole_file import partial_path, put_in_place
from livelink_bridge.errors import BridgeError, SinkError, UsageError
from livelink_bridge.takes.export.atomic import check_free

KINDS = {
    ".mp4": (
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        "18",
        "-c:a",
        "aac",
        "-b:a",
        "192k",
        "-movflags",
        "+faststart",
    ),
    ".webm": (
        "-c:v",
        "libvpx-vp9",
        "-deadline",
        "realtime",
        "-cpu-used",
        "6",
        "-crf",
        "24",
        "-b:v",
        "0",
        "-c:a",
        "libopus",
    ),
}
"""Ending -> how it is encoded: .mp4 is played everywhere, .webm is free of patents."""
LARGEST_PICTURE = 16 << 20
"""Bytes: a 4K canvas as PNG has less."""
LONGEST_S = 1800.0
"""Half an hour: a page renders for longer than that."""
STUCK_S = 60.0
"""Without a picture taken by ffmpeg, or without an end after the last one: it is given up."""
_MAX_WORDS = 2000
"""Bytes of the output of ffmpeg that are kept for the error message."""
PICTURES = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff"}
"""How the page may encode its frames, and the bytes that these begin with."""
_EVEN = "pad=ceil(iw/2)*2:ceil(ih/2)*2"
_DECODERS = {"png": "png", "jpeg": "mjpeg"}

HINT = {
    "linux": "install it: sudo apt install ffmpeg (or your system's package of that name)",
    "darwin": "install it: brew install ffmpeg",
    "win32": "install it: winget install Gyan.FFmpeg, and open a new terminal",
}


def ffmpeg() -> str:
    """Where ffmpeg is. Raises BridgeError that says how to get it where it is not."""
    found = shutil.which("ffmpeg")
    if found is None:
        raise BridgeError(
            f"a video needs ffmpeg, which was not found on the PATH; {HINT.get(sys.platform, HINT['linux'])}"
        )
    return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be rendered."""

    path: Path
    """.mp4 or .webm."""
    frames: int
    fps: Fraction | int = 60
    sound: Path | None = None
    """The clip's own .wav."""
    start_s: float = 0.0
    """Where in the sound the first frame is."""
    pictures: Literal["png", "jpeg"] = "png"
    """What the frames are, all of them: ffmpeg must know before the first."""

    def __post_init__(self) -> None:
        if self.path.suffix.lower() not in KINDS:
            raise UsageError(f"{self.path} ends in {self.path.suffix or 'nothing'}, expected {' or '.join(KINDS)}")
        if self.pictures not in PICTURES:
            raise UsageError(f"got frames in {self.pictures!r}, expected {' or '.join(PICTURES)}")
        if not 1 <= self.fps <= 120:
            raise UsageError(f"got {self.fps} frames a second, expected 1 to 120")
        if not 1 <= self.frames <= LONGEST_S * self.fps:
            most = f"{int(LONGEST_S * self.fps)}: at most {LONGEST_S / 60:.0f} min of video"
            raise UsageError(f"got {self.frames} frames, expected 1 to {most}")
        if not 0 <= self.start_s < 86400:
            raise UsageError(f"got {self.start_s} s as the video's beginning, expected a moment of the audio")


class VideoWriter:
    """One video being rendered: `push` every frame in order, then `finish`. A `with` block that is left early leaves no
    file.

    `push` and `finish` wait for ffmpeg: call them from a worker thread. `cancel` may come from any thread, also when
    the tab is gone.
    """

    def __init__(
        self,
        wanted: Wanted,
        *,
        force: bool = False,
        on_progress: Callable[[float], None] = lambda _part: None,
        stuck_s: float = STUCK_S,
    ) -> None:
        """Raises BridgeError without ffmpeg, SinkError where the file cannot be written or is there already, unless
        `force`."""
        program = ffmpeg()
        check_free(wanted.path, force=force)
        self._wanted, self._force, self._on_progress, self._stuck_s = wanted, force, on_progress, stuck_s
        self._partial = partial_path(wanted.path, wanted.path.suffix)
        self._words = _Words()
        self._cancelled = self._stuck = False
        self.frames = 0
        """How many were taken."""
        try:
            wanted.path.parent.mkdir(parents=True, exist_ok=True)
            self._process = subprocess.Popen(
                _command(program, wanted, self._partial),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            raise SinkError(f"ffmpeg cannot be started: {error.strerror}") from error
        assert self._process.stderr is not None
        self._reader = threading.Thread(
            target=self._words.read, args=(self._process.stderr,), name="ffmpeg's words", daemon=True
        )
        self._reader.start()
        self._watchdog = _Watchdog(stuck_s, self._give_up)

    def push(self, picture: bytes) -> None:
        """The next frame, encoded as `Wanted.pictures` says, all of one size.

        Raises UsageError for anything else, SinkError where ffmpeg gives up.
        """
        kind = self._wanted.pictures
        if not picture.startswith(PICTURES[kind]) or len(picture) > LARGEST_PICTURE:
            what = f"{len(picture)} bytes that begin with {picture[:4]!r}"
            raise UsageError(
                f"frame {self.frames}: got {what}, expected a {kind.upper()} of at most {LARGEST_PICTURE >> 20} MB"
            )
        if self.frames >= self._wanted.frames:
            raise UsageError(f"got a frame too many, expected {self._wanted.frames}")
        self._guarded(lambda: self._write(picture))
        self.frames += 1
        self._on_progress(self.frames / (self._wanted.frames + 1))

    def finish(self) -> Path:
        """The finished video. Raises UsageError where frames are missing, SinkError where ffmpeg or the disk gave
        up."""
        if self.frames < self._wanted.frames:
            self.cancel()
            raise UsageError(f"got {self.frames} of {self._wanted.frames} frames: the video was given up")
        self._guarded(self._end)
        try:
            put_in_place(self._partial, self._wanted.path, new=not self._force)
        except OSError as error:
            if self._cancelled:
                raise SinkError("the video was given up") from None
            check_free(self._wanted.path, force=self._force)  # another writer of this name may have been quicker
            raise SinkError(f"{self._wanted.path} cannot be written: {error.strerror}") from error
        finally:
            self._watchdog.close()
            self._partial.unlink(missing_ok=True)
        self._on_progress(1.0)
        return self._wanted.path

    def cancel(self) -> None:
        """Give up; no file is left. Harmless twice, and after `finish`."""
        self._cancelled = True
        self._watchdog.close()
        self._process.kill()
        self._process.wait()
        self._close_pipe()
        self._reader.join(5.0)
        self._partial.unlink(missing_ok=True)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process.returncode is None:
            self.cancel()

    def _write(self, picture: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(picture)

    def _end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        if self._process.wait():
            raise BrokenPipeError

    def _guarded(self, act: Callable[[], None]) -> None:
        """Do something that waits for ffmpeg, which is killed when it takes too long: a closed pipe then ends the
        waiting."""
        try:
            with self._watchdog:
                act()
        except (OSError, ValueError) as error:  # ValueError: the pipe was closed by `cancel`
            raise self._failed() from error

    def _give_up(self) -> None:
        self._stuck = True
        self._process.kill()

    def _failed(self) -> BridgeError:
        cancelled, stuck = self._cancelled, self._stuck
        self.cancel()
        if cancelled:
            return SinkError("the video was given up")
        if stuck:
            return SinkError(
                f"the video was given up: ffmpeg did nothing for {self._stuck_s:g} s at frame {self.frames}"
            )
        why = self._words.first() or f"it ended with {self._process.returncode}"
        return SinkError(f"the video was given up at frame {self.frames}: ffmpeg says: {why}")

    def _close_pipe(self) -> None:
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
        except OSError:
            pass  # what could not be flushed is thrown away with the video


class _Watchdog:
    """Acts once when a `with` block of it lasts too long. One thread for all blocks, since there is one for every
    frame."""

    def __init__(self, after_s: float, act: Callable[[], None]) -> None:
        self._after_s, self._act = after_s, act
        self._changed = threading.Condition()
        self._deadline_s: float | None = None
        self._closed = False
        threading.Thread(target=self._watch, name="ffmpeg's watchdog", daemon=True).start()

    def close(self) -> None:
        """End the thread. Harmless twice."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def __enter__(self) -> None:
        with self._changed:
            self._deadline_s = time.monotonic() + self._after_s
            self._changed.notify()

    def __exit__(self, *_error: object) -> None:
        with self._changed:
            self._deadline_s = None

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                left_s = None if self._deadline_s is None else self._deadline_s - time.monotonic()
                if left_s is not None and left_s <= 0:
                    break
                self._changed.wait(left_s)
        if not self._closed:
            self._act()


class _Words:
    """The beginning of the output of ffmpeg: its first line names the cause. All of it is read, so that ffmpeg never
    waits for a reader."""

    def __init__(self) -> None:
        self._begin = b""

    def read(self, pipe: IO[bytes]) -> None:
        with pipe:
            while part := pipe.read(256):
                self._begin = (self._begin + part)[:_MAX_WORDS]

    def first(self) -> str:
        """The first line with text, without the prefix of the component that wrote it."""
        lines = [
            line.strip()
            for line in self._begin.decode("utf-8", "replace").replace("\r", "\n").split("\n")
            if line.strip()
        ]
        return re.sub(r"^(\[[^\]]*\]\s*)+", "", lines[0])[:300] if lines else ""


def _command(program: str, wanted: Wanted, out: Path) -> list[str]:
    """ffmpeg's arguments; the documentation of each is in ffmpeg(1) and ffmpeg-formats(1), image2pipe.

    Even sizes and yuv420p are what players of H.264 take. JPEGs have the colours of BT.601 in full range, players of HD
    expect BT.709 in limited range, and the file says that it has these. The sound ends where the pictures end, silence
    where it was shorter; at 48 kHz, which editing programs take as it is.
    """
    fps = Fraction(wanted.fps)
    seconds = float(wanted.frames / fps)
    sound: list[Any] = []
    if wanted.sound is not None:
        sound = ["-ss", f"{wanted.start_s:.6f}", "-i", f"file:{wanted.sound}", "-map", "0:v", "-map", "1:a",
                 "-af", "apad", "-ar", "48000", "-t", f"{seconds:.6f}"]  # fmt: skip
    rate = f"{fps.numerator}/{fps.denominator}"
    pictures = ["-f", "image2pipe", "-framerate", rate, "-c:v", _DECODERS[wanted.pictures], "-i", "pipe:0"]
    look = ["-vf", f"scale=out_color_matrix=bt709:out_range=tv,{_EVEN}", "-pix_fmt", "yuv420p", "-color_range", "tv",
            "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]  # fmt: skip
    encode = KINDS[wanted.path.suffix.lower()]
    return [
        program,
        "-hide_banner",
        "-nostdin",
        "-loglevel",
        "error",
        "-y",
        *pictures,
        *sound,
        *look,
        *encode,
        f"file:{out}",
    ]
