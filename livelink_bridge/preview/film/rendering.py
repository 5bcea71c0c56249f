"""A video rendered by a tab of the page: frames arrive one by one over HTTP and are passed to ffmpeg."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from livelink_bridge.errors import UsageError
from livelink_bridge.preview.clip.clip import Clip
from livelink_bridge.preview.clip.frame_tiles import PoseTiles
from livelink_bridge.preview.film.film import Film
from livelink_bridge.preview.film.video import VideoWriter, Wanted


@dataclass(slots=True)
class Rendering:
    """One video from its first frame to its last. The poses are those of its beginning, whatever the sliders do
    meanwhile."""

    number: int
    """Of all that this session has rendered: a late frame of another one is known by it."""
    film: Film
    frames: int
    path: Path
    """Where the video will be, in a folder of its own."""
    poses: PoseTiles
    """Of each frame, float32 (frames, 61)."""
    writer: VideoWriter
    _taking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def take(self, frame: int, picture: bytes) -> None:
        """Frame `frame`, a JPEG. One that was taken already is passed over: its answer was lost on the way, and it was
        sent again.

        Raises UsageError for a frame out of turn and what is no JPEG, SinkError where ffmpeg gives up.
        """
        async with self._taking:
            if frame == self.writer.frames - 1:
                return
            if frame != self.writer.frames:
                raise UsageError(f"got frame {frame}, expected {self.writer.frames}")
            await asyncio.to_thread(self.writer.push, picture)

    def give_up(self) -> None:
        """End it, so that nothing is left of it. Waits for ffmpeg's end: for a worker thread. Harmless twice."""
        self.writer.cancel()
        with suppress(OSError):
            self.path.parent.rmdir()


def begun(
    number: int, film: Film, clip: Clip, poses: PoseTiles, path: Path, on_progress: Callable[[float], None]
) -> Rendering:
    """Start ffmpeg for the poses of a clip and its sound. For a worker thread.

    Raises BridgeError where there is no ffmpeg, UsageError for a clip that is too long, SinkError where it cannot be
    written.
    """
    frames = film.frames(clip.duration_s)
    wanted = Wanted(path, frames, film.rate, clip.sound, pictures="jpeg")
    if not len(poses.poses):
        raise UsageError(f"{clip.name} has no poses: nothing can be rendered")
    of_frames = PoseTiles(film.poses(poses.poses, frames))
    return Rendering(number, film, frames, path, of_frames, VideoWriter(wanted, force=True, on_progress=on_progress))
