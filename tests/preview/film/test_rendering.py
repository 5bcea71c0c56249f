"""A video that a tab renders, and other exports: what the session promises when frames, tabs and clicks come in any
order."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from animator import probed
from PIL import Image

pytest.importorskip("nicegui", reason="NiceGUI is not installed: pip install livelink-bridge[preview]")

from starlette.requests import ClientDisconnect

from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.preview.clip.clip import Clip
from livelink_bridge.preview.clip.frame_tiles import PoseTiles
from livelink_bridge.preview.editor.state import KEPT_EXPORTS, EditorState
from livelink_bridge.preview.film import rendering
from livelink_bridge.preview.film.film import RATES, Film
from livelink_bridge.preview.server.routes import Routes, export_url

SMALL = Film(64, 64, 24)
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


class FakeWriter:
    """Takes frames as VideoWriter does, without ffmpeg."""

    made: list[FakeWriter] = []

    def __init__(self, wanted: Any, *, force: bool, on_progress: Callable[[float], None]) -> None:
        self.wanted, self.pictures, self.cancelled = wanted, [], False
        self.may_finish = threading.Event()
        self.may_finish.set()
        wanted.path.parent.mkdir(parents=True, exist_ok=True)
        self.made.append(self)

    @property
    def frames(self) -> int:
        return len(self.pictures)

    def push(self, picture: bytes) -> None:
        if picture == b"bad":
            raise SinkError("ffmpeg says: no")
        self.pictures.append(picture)

    def finish(self) -> Path:
        self.may_finish.wait(5)
        if self.cancelled:
            raise SinkError("the video was given up")
        self.wanted.path.write_bytes(b"".join(self.pictures))
        return self.wanted.path

    def cancel(self) -> None:
        self.cancelled = True
        self.may_finish.set()


@pytest.fixture
def writers(monkeypatch: pytest.MonkeyPatch) -> list[FakeWriter]:
    monkeypatch.setattr(rendering, "VideoWriter", FakeWriter)
    FakeWriter.made = []
    return FakeWriter.made


class Sent:
    """A request of the page that brings a frame."""

    def __init__(self, number: int, frame: int, *parts: Any) -> None:
        self.path_params = {"number": number, "frame": frame}
        self._parts = parts

    async def stream(self) -> Any:
        for part in self._parts:
            await asyncio.sleep(0)
            if isinstance(part, Exception):
                raise part
            yield part


def session(folder: Path, seconds: float = 0.5, name: str = "line.wav", sound: Path | None = None) -> EditorState:
    """A session with a clip open, as `EditorState.open` leaves it."""
    made = EditorState(folder, lambda *_: None)  # type: ignore[arg-type,return-value]
    poses = np.random.default_rng(1).random((round(seconds * 60), 61), np.float32)
    made.clip, made.clip_id = Clip(name, "sound", sound, seconds, poses), "1"
    made.sides["a"].tiles = PoseTiles(poses)
    return made


async def post(routes: Routes, number: int, frame: int, *parts: Any) -> int:
    return (await routes.picture(Sent(number, frame, *parts))).status_code  # type: ignore[arg-type]


def test_of_two_tabs_that_begin_a_video_at_once_one_does_and_the_other_is_told(tmp_path, writers):
    async def both() -> list[Any]:
        here = session(tmp_path)
        begun = await asyncio.gather(here.begin_video(SMALL), here.begin_video(SMALL), return_exceptions=True)
        assert here.video is begun[0]
        return begun

    _, refused = asyncio.run(both())
    assert len(writers) == 1
    assert isinstance(refused, UsageError) and str(refused).startswith(
        "rendering line.mp4: 64 x 64, 24 frames a second"
    )


def test_a_video_that_cannot_begin_leaves_the_session_free(tmp_path, monkeypatch):
    def fails(*_args: Any, **_options: Any) -> None:
        raise SinkError("the disk is full")

    monkeypatch.setattr(rendering, "VideoWriter", fails)

    async def tries() -> None:
        here = session(tmp_path)
        with pytest.raises(SinkError, match="full"):
            await here.begin_video(SMALL)
        assert here.busy is None and here.video is None

    asyncio.run(tries())


def test_the_pages_jpegs_are_taken_and_make_a_video(tmp_path, writers):
    async def renders() -> bytes:
        here = session(tmp_path)
        video = await here.begin_video(SMALL)
        for frame in range(video.frames):
            assert await post(Routes(here), video.number, frame, b"j", bytes([frame])) == 200
        path = await here.finish_video(video.number)
        assert (path.name, here.video, here.busy) == ("line.mp4", None, None)
        return path.read_bytes()

    assert asyncio.run(renders()) == b"".join(b"j" + bytes([frame]) for frame in range(12))
    assert writers[0].wanted.pictures == "jpeg"


def test_a_frame_that_is_sent_again_counts_once_and_one_out_of_turn_ends_it(tmp_path, writers):
    async def renders() -> None:
        here = session(tmp_path)
        routes, video = Routes(here), await here.begin_video(SMALL)
        assert await post(routes, video.number, 0, b"half", ClientDisconnect()) == 400
        at_once = await asyncio.gather(*(post(routes, video.number, 0, b"zero") for _ in range(3)))
        assert at_once == [200, 200, 200] and writers[0].pictures == [b"zero"]
        assert await post(routes, video.number, 1, b"one") == 200
        assert await post(routes, video.number, 3, b"three") == 409
        assert here.video is None and "got frame 3, expected 2" in (here.trouble or "")

    asyncio.run(renders())


def test_when_ffmpeg_gives_up_every_tab_is_told_each_time(tmp_path, writers):
    async def renders() -> int:
        here = session(tmp_path)
        for _ in range(2):
            video = await here.begin_video(SMALL)
            assert await post(Routes(here), video.number, 0, b"bad") == 409
            assert here.trouble == "The video was given up: ffmpeg says: no." and here.busy is None
        return here.troubles

    assert asyncio.run(renders()) == 2


def test_a_late_frame_of_a_cancelled_video_does_not_reach_the_next_one(tmp_path, writers):
    async def renders() -> None:
        here = session(tmp_path)
        routes, first = Routes(here), await here.begin_video(SMALL)
        here.drop_video()
        second = await here.begin_video(SMALL)
        assert await post(routes, first.number, 0, b"late") == 204
        here.drop_video("the first one's tab is gone", first.number)
        assert here.video is second and writers[1].pictures == [] and not writers[1].cancelled

    asyncio.run(renders())
    assert writers[0].cancelled


def test_the_end_of_a_cancelled_video_leaves_the_next_one_alone(tmp_path, writers):
    async def renders() -> None:
        here = session(tmp_path)
        first = await here.begin_video(SMALL)
        writers[0].may_finish.clear()
        ending = asyncio.ensure_future(here.finish_video(first.number))
        await asyncio.sleep(0)
        here.drop_video()
        second = await here.begin_video(SMALL)
        with pytest.raises(SinkError, match="given up"):
            await ending
        assert here.video is second and here.busy

    asyncio.run(renders())


def test_giving_up_waits_for_ffmpeg_off_the_pages_thread_and_leaves_nothing(tmp_path, writers):
    async def renders() -> set[int]:
        here = session(tmp_path)
        await here.begin_video(SMALL)
        threads: set[int] = set()
        writers[0].cancel = lambda: threads.add(threading.get_ident())  # type: ignore[method-assign]
        here.drop_video()
        await asyncio.gather(*here._ending)
        return threads

    assert asyncio.run(renders()) != {threading.get_ident()}
    assert list((tmp_path / "exports").iterdir()) == []


def test_sliders_that_move_and_sides_that_change_do_not_change_the_video(tmp_path, writers):
    async def renders() -> None:
        here = session(tmp_path)
        poses = here.sides["a"].tiles.poses
        video = await here.begin_video(Film(64, 64, 60))
        here.sides["a"].tiles = PoseTiles(np.zeros_like(poses))
        answer = await Routes(here).video_poses(Asked(number=video.number, index=0))  # type: ignore[arg-type]
        np.testing.assert_array_equal(np.frombuffer(answer.body, "<f4").reshape(-1, 61), poses)
        assert (await Routes(here).video_poses(Asked(number=video.number + 1, index=0))).status_code == 204  # type: ignore[arg-type]

    asyncio.run(renders())


def test_the_servers_end_gives_up_the_video_and_waits_for_ffmpegs(tmp_path, writers):
    async def renders() -> None:
        here = session(tmp_path)
        await here.begin_video(SMALL)
        await here.close()
        assert writers[0].cancelled and here.video is None
        await here.close()

    asyncio.run(renders())
    assert list((tmp_path / "exports").iterdir()) == []


class Asked:
    def __init__(self, **params: Any) -> None:
        self.path_params = params


def test_while_a_video_is_rendered_the_face_stays(tmp_path, writers):
    async def renders() -> None:
        here = session(tmp_path)
        await here.begin_video(SMALL)
        with pytest.raises(UsageError, match="wait until that is done, or cancel it"):
            await here.use_face(tmp_path / "any.glb")
        with pytest.raises(UsageError, match="cancel"):
            here.use_built_in_face()
        with pytest.raises(UsageError, match="rendering line.mp4"):
            await here.open(tmp_path / "other.wav")

    asyncio.run(renders())


@pytest.mark.parametrize("seconds, words", [(3600.0, "at most 30 min of video"), (0.0, "has no poses")])
def test_a_clip_that_makes_no_video_is_said(tmp_path, writers, seconds, words):
    async def tries() -> None:
        with pytest.raises(UsageError, match=words):
            await session(tmp_path, seconds).begin_video(SMALL)

    asyncio.run(tries())


def test_two_exports_of_one_name_at_once_each_keep_their_own_bytes(tmp_path):
    async def exports() -> list[bytes]:
        here = session(tmp_path)
        one = here.export(".json")
        other_poses = session(tmp_path, 0.25).clip
        (first, _), (second, _) = await asyncio.gather(one, _export_of(here, other_poses))
        assert first != second and first.name == second.name == "line.json"
        assert export_url(first) != export_url(second)
        return [path.read_bytes() for path in (first, second)]

    first, second = (json.loads(data) for data in asyncio.run(exports()))
    assert (len(first["frames"]), len(second["frames"])) == (30 + 29, 15 + 29)


async def _export_of(here: EditorState, clip: Clip | None) -> Any:
    here.clip = clip
    return await here.export(".json")


def test_old_exports_make_room(tmp_path):
    async def exports() -> list[Path]:
        here = session(tmp_path, 0.1)
        return [(await here.export(".csv"))[0] for _ in range(KEPT_EXPORTS + 2)]

    made = asyncio.run(exports())
    assert [path.exists() for path in made] == [False] * 2 + [True] * KEPT_EXPORTS


def test_files_are_read_off_the_pages_thread_and_of_two_faces_the_later_one_stays(tmp_path, monkeypatch):
    from livelink_bridge.preview.editor import state

    threads: set[int] = set()
    later_is_read = threading.Event()

    def read(path: Path) -> Any:
        threads.add(threading.get_ident())
        if path.name == "large.glb":
            later_is_read.wait(5)
        else:
            later_is_read.set()
        return SimpleNamespace(notes=(path.name,))

    def character(path: Path) -> Any:
        threads.add(threading.get_ident())
        return state.Character()

    monkeypatch.setattr(state, "face_map", read)
    monkeypatch.setattr(state, "load_character", character)

    async def wears() -> EditorState:
        here = session(tmp_path)
        await asyncio.gather(here.use_face(Path("large.glb")), here.use_face(Path("small.glb")))
        await here.use_character(Path("anna.yaml"))
        await here.refresh()
        return here

    here = asyncio.run(wears())
    assert here.face == Path("small.glb") and here.face_notes == ["small.glb"]
    assert threads and threading.get_ident() not in threads


@needs_ffmpeg
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("sound_hz", [8000, 44100])
def test_picture_and_sound_of_the_video_are_as_long_as_the_sound_to_within_a_frame(tmp_path, rate, sound_hz):
    seconds = 1.237
    soundfile.write(tmp_path / "s.wav", np.sin(np.arange(round(seconds * sound_hz)) / 10) * 0.3, sound_hz)
    small = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 120, 90)).save(small, "JPEG")

    async def renders() -> Path:
        here = session(tmp_path, seconds, sound=tmp_path / "s.wav")
        video = await here.begin_video(Film(64, 64, rate))
        for frame in range(video.frames):
            assert await post(Routes(here), video.number, frame, small.getvalue()) == 200
        return await here.finish_video(video.number)

    streams = probed(asyncio.run(renders()))
    video, audio = streams["video"], streams["audio"]
    assert abs(float(video["duration"]) - seconds) <= 1 / rate
    assert abs(float(audio["duration"]) - seconds) <= 1 / rate
    assert (video["width"], video["height"], video["avg_frame_rate"]) == (64, 64, f"{rate}/1")
    assert int(video["nb_frames"]) == round(seconds * rate)
    assert (video["color_space"], video["color_range"]) == ("bt709", "tv")
