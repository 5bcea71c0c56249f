"""State of the editor: the clip, the slider state, and what it is compared with. The page shows it; this module does
not depend on the page.

All methods are called from one thread, that of the page; analysis and adjustment run in others, and the newest change
wins.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from arkit_mapping.channels import CHANNELS_61, FRAME_RATE
from arkit_mapping.character.character import Character, load_character
from livelink_bridge.core.frames import Weights
from livelink_bridge.errors import UsageError
from livelink_bridge.preview.clip.clip import Clip
from livelink_bridge.preview.clip.frame_tiles import PoseTiles
from livelink_bridge.preview.editor.character_edit import Adjustments
from livelink_bridge.preview.editor.exports import export, save_character
from livelink_bridge.preview.editor.face_map import FaceMap, face_map
from livelink_bridge.preview.editor.history import History
from livelink_bridge.preview.editor.live_controls import LiveControls
from livelink_bridge.preview.editor.unreal_sender import Unreal
from livelink_bridge.preview.film.film import Film
from livelink_bridge.preview.film.rendering import Rendering, begun

Against = Literal["saved", "predicted", "other"]
"""What B is: the saved character, the poses as predicted, or another model or take."""

FACE = Path(__file__).parents[1] / "face.glb"
"""The built-in face."""
FACE_URL = "/session/face/own"
FACE_ENDINGS = (".glb", ".vrm")
KEPT_EXPORTS = 8
"""Exports that can still be fetched: each has a folder of its own, so that two of one name keep their own bytes."""
NOTHING = PoseTiles(np.zeros((0, len(CHANNELS_61)), np.float32))


class Analyse(Protocol):
    """Makes a clip of a file, in a worker thread: `model` is None for the session's own. Raises what the command line
    says."""

    def __call__(self, path: Path, model: str | None, on_progress: Callable[[float], None]) -> Clip: ...


@dataclass(slots=True)
class Shown:
    """One side, A or B."""

    tiles: PoseTiles = NOTHING
    revision: int = 0
    plan: tuple[Clip | None, Adjustments | None] = (None, None)
    """What the tiles were made of."""


class EditorState:
    """One animator's session. `listeners` are called after every change, on the page's thread."""

    def __init__(
        self, folder: Path, analyse: Analyse, *, character: Path | None = None, models: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        """What may be served: uploads, analysed sound, exports."""
        self.models = tuple(models)
        """Names of models that A can be compared with."""
        self.show: LiveControls | None = None
        """The session that runs beside the page; None where files are worked on."""
        self.character_path = character
        saved = Adjustments.from_character(load_character(character)) if character else Adjustments()
        self.history = History(saved)
        self.saved = saved
        self.clip: Clip | None = None
        self.clip_id = ""
        self.other: Clip | None = None
        self.against: Against = "saved"
        self.source: Path | None = None
        """The file that the clip was made of."""
        self.face: Path | None = None
        """The user's own .glb or .vrm; None is the built-in face."""
        self.face_map: FaceMap | None = None
        """What of it is moved; None for the built-in face."""
        self.face_notes: list[str] = []
        self.sides = {"a": Shown(), "b": Shown()}
        self.trouble: str | None = None
        """What went wrong that no tab asked for: the file that the command was given is not open, a video was given
        up."""
        self.troubles = 0
        """How many there were: the same sentence can be said twice."""
        self.video: Rendering | None = None
        """The video that is being rendered."""
        self.unreal: Unreal | None = None
        """Sends what the page plays to receivers; None where the page is not given any."""
        self.busy: str | None = None
        self.progress = 0.0
        self.listeners: list[Callable[[], None]] = []
        self.tabs: list[Callable[[], bool]] = []
        """Whether each tab is in reach."""
        self._analyse = analyse
        self._ids = itertools.count(1)
        self._wanted = self._done = 0
        self._working: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Future[None]] = set()
        self._exports: list[Path] = []
        self._newest_face = 0

    @property
    def adjustments(self) -> Adjustments:
        """Current slider state."""
        return self.history.present

    @property
    def unsaved(self) -> bool:
        """Whether the character differs from the saved one."""
        return self.adjustments.character() != self.saved.character()

    async def open(self, path: Path, *, other: bool = False, model: str | None = None) -> None:
        """Analyse a sound or read a take, as what is worked on or as what it is compared with. Raises BridgeError and
        its kin."""
        self._claim(f"reading {path.name}")
        try:
            clip = await asyncio.to_thread(self._analyse, path, model, self._on_progress)
        finally:
            self.busy = None
            self.tell()
        if other:
            self.other, self.against = clip, "other"
        else:
            self.clip, self.clip_id, self.other, self.source = clip, str(next(self._ids)), None, path
            self.against = "saved" if self.against == "other" else self.against
        await self.refresh()

    async def use_face(self, path: Path) -> None:
        """Show the user's own .glb or .vrm; of two at once the later one. Raises BridgeError for one that has none of
        the 52 shapes."""
        self._no_video()
        self._newest_face = wanted = next(self._ids)
        moved = await asyncio.to_thread(face_map, path)
        if wanted == self._newest_face:
            self._no_video()
            self.show_face(path, moved)

    def show_face(self, path: Path, moved: FaceMap) -> None:
        """Show a face in the session's folder whose map is known."""
        self.face, self.face_map, self.face_notes = path, moved, list(moved.notes)
        self.tell()

    def use_built_in_face(self) -> None:
        """Show the built-in face again."""
        self._no_video()
        self._newest_face = next(self._ids)
        self.face, self.face_map, self.face_notes = None, None, []
        self.tell()

    async def use_character(self, path: Path) -> None:
        """Go on with a character file: a step that can be undone. Raises CharacterError."""
        adjusted = Adjustments.from_character(await asyncio.to_thread(load_character, path))
        self.saved = adjusted
        self.change(adjusted)

    def change(self, adjusted: Adjustments, drag: str | None = None) -> None:
        """Apply these adjustments; `drag` as in `History.change`."""
        self.history.change(adjusted, drag)
        self._again()

    def undo(self) -> None:
        """Undo one step, if there is one, and recompute both sides."""
        self.history.undo()
        self._again()

    def redo(self) -> None:
        """Redo one step, if there is one, and recompute both sides."""
        self.history.redo()
        self._again()

    def compare_with(self, against: Against) -> None:
        """Choose what B is. Raises UsageError for another clip where there is none."""
        if against == "other" and self.other is None:
            raise UsageError("nothing else is open: choose another model, or open another take to compare with")
        self.against = against
        self._again()

    def save(self, name: str, *, replace_it: bool = False) -> Path:
        """Write the character and go on from it. `name` is of a file in the working directory, or of the file the
        session began with.

        Raises UsageError for more than a file's name, SinkError where it cannot be written or, unless `replace_it`, is
        there already.
        """
        own = self.character_path
        path = own if own is not None and name == own.name else _beside(name)
        save_character(self.adjustments, path, force=replace_it or path == own)
        self.character_path, self.saved = path, self.adjustments.unmasked()
        self._again()
        return path

    def pose_at(self, side: str, time_s: float) -> Weights | None:
        """The pose of a side at a moment, float32 (61,), between its frames; None where nothing is open. From any
        thread."""
        poses = self.sides[side].tiles.poses
        if not len(poses):
            return None
        at = min(max(time_s * FRAME_RATE, 0.0), len(poses) - 1.0)
        one, other = poses[int(at)], poses[min(int(at) + 1, len(poses) - 1)]
        return np.asarray(one + np.float32(at - int(at)) * (other - one), np.float32)

    def current(self) -> Character:
        """What the sliders make of a face now. From any thread; the same object until they move."""
        return self.adjustments.character()

    def live_pose(self, weights: Weights) -> Weights:
        """A live pose, float32 (61,), as the page shows it: as it was sent, without what is muted."""
        masked = replace(self.adjustments, edited=Character())
        return masked.apply(weights[None])[0] if masked.solo or masked.muted else weights

    async def begin_video(self, film: Film) -> Rendering:
        """Get ready for the pictures of A and its sound. Raises BridgeError, also where there is no ffmpeg."""
        clip = self._open_clip()
        path = self._export_path(clip, ".mp4")
        self._claim(f"rendering {path.name}: {film}; keep this tab open")
        number = next(self._ids)
        try:
            self.video = await asyncio.to_thread(
                begun, number, film, clip, self.sides["a"].tiles, path, self._on_progress
            )
        except BaseException:
            self.busy = None
            raise
        finally:
            self.tell()
        return self.video

    async def finish_video(self, number: int) -> Path:
        """The finished video. Raises BridgeError; UsageError where that video is not being rendered any more."""
        video = self.video
        if video is None or video.number != number:
            raise UsageError("this video is not being rendered any more")
        try:
            return await self._exported(await asyncio.to_thread(video.writer.finish))
        finally:
            if self.video is video:  # not cancelled meanwhile, when the next one may have begun
                self.video, self.busy = None, None
                self.tell()

    def drop_video(self, why: str = "", number: int | None = None) -> None:
        """Give up the video that is being rendered, or only the one of that number, and say why in every tab; harmless
        where none is."""
        video = self.video
        if video is None or number not in (None, video.number):
            return
        self.video, self.busy = None, None
        ending = asyncio.get_running_loop().run_in_executor(None, video.give_up)  # waits for ffmpeg's end
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        if why:
            self.tell_trouble(why)
        self.tell()

    async def close(self) -> None:
        """Give up what is being rendered, so that no ffmpeg outlives the program. For the server's end."""
        self.drop_video()
        await asyncio.gather(*self._ending)

    def tell_trouble(self, sentence: str) -> None:
        """Say in every tab what went wrong."""
        self.trouble, self.troubles = sentence, self.troubles + 1
        self.tell()

    async def export(self, ending: str) -> tuple[Path, list[str]]:
        """Write A into the session's folder, .csv, .glb, .json or .npz; where, and what the user should know. Raises
        BridgeError."""
        clip = self._open_clip()
        path = self._export_path(clip, ending)
        face = (self.face or FACE) if ending == ".glb" else None
        notes = await asyncio.to_thread(export, clip, self.adjustments, path, face=face, force=True)
        return await self._exported(path), notes

    def _no_video(self) -> None:
        if self.video is not None:
            raise UsageError("the face stays as it is while a video is rendered: wait until that is done, or cancel it")

    def _open_clip(self) -> Clip:
        if self.clip is None:
            raise UsageError("nothing is open: open an audio file or a take first")
        return self.clip

    def _claim(self, work: str) -> None:
        """Be busy with it from now on. Raises UsageError where something else is being done. No `await` may come
        between the two."""
        if self.busy:
            raise UsageError(f"{self.busy}: wait until that is done")
        self.busy, self.progress = work, 0.0
        self.tell()

    def _export_path(self, clip: Clip, ending: str) -> Path:
        return self.folder / "exports" / str(next(self._ids)) / f"{Path(clip.name).stem}{ending}"

    async def _exported(self, path: Path) -> Path:
        """Keep a finished export for the browser, and the ones before it as far as there is room for them."""
        self._exports.append(path)
        old, self._exports = self._exports[:-KEPT_EXPORTS], self._exports[-KEPT_EXPORTS:]
        for export_path in old:
            await asyncio.to_thread(shutil.rmtree, export_path.parent, ignore_errors=True)
        return path

    def tell(self) -> None:
        """Notify all listeners that the state changed."""
        for listener in list(self.listeners):
            listener()

    def _again(self) -> None:
        self.tell()
        self._wanted += 1
        if self._working is None or self._working.done():
            self._working = asyncio.get_running_loop().create_task(self._work())

    async def refresh(self) -> None:
        """Recompute both sides; returns when they match the latest change."""
        self._again()
        assert self._working is not None
        await self._working

    async def _work(self) -> None:
        while self._done != self._wanted:
            wanted, plans = self._wanted, self._plans()
            for shown, plan in zip(self.sides.values(), plans, strict=False):
                if plan != shown.plan:
                    shown.tiles = await asyncio.to_thread(_made, *plan)
                    shown.plan, shown.revision = plan, shown.revision + 1
            self._done = wanted
            self.tell()

    def _plans(self) -> list[tuple[Clip, Adjustments | None]]:
        """For each side: the poses it begins with, and what adjusts them; None for as they are."""
        if self.clip is None:
            return []
        if self.against == "other" and self.other is not None:
            # Another model gets A's character; another take stays as recorded.
            b = (self.other, self.adjustments.unmasked() if self.other.kind == "sound" else None)
        else:
            b = (self.clip, self.saved if self.against == "saved" else None)
        return [(self.clip, self.adjustments), b]

    def _on_progress(self, done: float) -> None:
        self.progress = done


@cache
def built_in_map() -> FaceMap:
    """What of the built-in face is moved."""
    return face_map(FACE)


def _made(clip: Clip, adjusted: Adjustments | None) -> PoseTiles:
    return PoseTiles(clip.predicted if adjusted is None else adjusted.apply(clip.predicted))


def _beside(name: str) -> Path:
    """A character file of that name in the working directory."""
    plain = name.strip()
    if not plain or Path(plain).name != plain or plain.startswith("."):
        raise UsageError(f"got the name {name!r}, expected a file's name without a folder, such as anna.yaml")
    return Path.cwd() / (plain if plain.endswith((".yaml", ".yml")) else f"{plain}.yaml")
