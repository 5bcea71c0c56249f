"""Videos by ffmpeg: what it is given, and every way in which it may fail. A stand-in plays ffmpeg; the real one where
there is one."""

from __future__ import annotations

import io
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from livelink_bridge.errors import BridgeError, SinkError, UsageError
from livelink_bridge.preview.film import video
from livelink_bridge.preview.film.video import VideoWriter, Wanted, ffmpeg

posix = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")


def picture(shade: int, size: tuple[int, int] = (64, 48), kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (shade, shade, 255 - shade)).save(file, kind)
    return file.getvalue()


LARGE = picture(1) + bytes(300_000)
"""More than a pipe holds."""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Puts a program named ffmpeg on the PATH that runs this body with `data` being what it was given; its arguments go
    to a file."""

    def put(body: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        script = folder / "ffmpeg"
        head = (
            f"#!{sys.executable}\nimport os, sys, signal\nopen({str(tmp_path / 'args')!r}, "
            "'w').write('\\n'.join(sys.argv[1:]))\n"
        )
        script.write_text(f"{head}out = sys.argv[-1].removeprefix('file:')\n{body}\n")
        script.chmod(script.stat().st_mode | stat.S_IEXEC)
        monkeypatch.setenv("PATH", str(folder))

    return put


WRITES = "data = sys.stdin.buffer.read()\nopen(out, 'wb').write(data)"


@posix
def test_pictures_go_to_ffmpeg_in_order_and_the_file_takes_its_name_at_the_end(tmp_path, stand_in):
    stand_in(WRITES)
    pictures, seen = [picture(shade) for shade in (0, 100, 200)], []
    with VideoWriter(Wanted(tmp_path / "out" / "it.mp4", 3), on_progress=seen.append) as writer:
        for one in pictures:
            writer.push(one)
            assert not (tmp_path / "out" / "it.mp4").exists()
        assert writer.finish() == tmp_path / "out" / "it.mp4"
    assert (tmp_path / "out" / "it.mp4").read_bytes() == b"".join(pictures)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["it.mp4"]
    assert seen == sorted(seen) and seen[-1] == 1.0 and len(seen) == 4


@posix
@pytest.mark.parametrize("name, codec", [("it.mp4", "libx264"), ("it.webm", "libvpx-vp9")])
def test_ffmpeg_is_told_rate_sound_and_length(tmp_path, stand_in, name, codec):
    stand_in(WRITES)
    with VideoWriter(Wanted(tmp_path / name, 30, 60, tmp_path / "s.wav", 1.25)) as writer:
        for _ in range(30):
            writer.push(picture(1))
        writer.finish()
    args = (tmp_path / "args").read_text().split("\n")
    for wanted in ("60/1", "image2pipe", codec, f"file:{tmp_path / 's.wav'}", "1.250000", "0.500000", "yuv420p"):
        assert wanted in args


def test_without_ffmpeg_there_is_one_line_that_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for platform, words in (
        ("linux", "apt install ffmpeg"),
        ("win32", "winget"),
        ("darwin", "brew"),
        ("freebsd14", "ffmpeg"),
    ):
        monkeypatch.setattr(sys, "platform", platform)
        monkeypatch.setattr(shutil, "which", lambda _name: None)
        with pytest.raises(BridgeError, match=f"^[^\n]*{words}[^\n]*$"):
            ffmpeg()
    with pytest.raises(BridgeError):
        VideoWriter(Wanted(tmp_path / "it.mp4", 1))
    assert list(tmp_path.iterdir()) == []


@posix
@pytest.mark.parametrize(
    "ends",
    [
        "sys.stderr.write('[out#0 @ 0x55] Unknown encoder\\nConversion failed!\\n'); sys.exit(1)",
        "sys.stdin.buffer.read(); sys.stderr.write('Unknown encoder'); sys.exit(1)",
    ],
)
def test_when_ffmpeg_gives_up_its_last_words_are_the_error_and_no_file_is_left(tmp_path, stand_in, ends):
    stand_in(f"open(out, 'wb').write(b'half')\n{ends}")
    wanted = Wanted(tmp_path / "o" / "it.mp4", 50)
    with pytest.raises(SinkError, match="^[^\n]*ffmpeg says: Unknown encoder$"), VideoWriter(wanted) as writer:
        for _ in range(50):
            writer.push(LARGE)
        writer.finish()
    assert list((tmp_path / "o").iterdir()) == []


@posix
@pytest.mark.parametrize("stuck_at", ["push", "finish"])
def test_an_ffmpeg_that_does_nothing_is_given_up(tmp_path, stand_in, stuck_at):
    stand_in("signal.pause()" if stuck_at == "push" else "sys.stdin.buffer.read(); signal.pause()")
    with VideoWriter(Wanted(tmp_path / "o" / "it.mp4", 5), stuck_s=0.5) as writer:
        with pytest.raises(SinkError, match="did nothing for 0.5 s"):
            for _ in range(5):
                writer.push(LARGE)
            writer.finish()
    assert list((tmp_path / "o").iterdir()) == []


@posix
def test_a_tab_that_closes_leaves_no_file_and_no_process(tmp_path, stand_in):
    stand_in(WRITES)
    with VideoWriter(Wanted(tmp_path / "o" / "it.mp4", 5)) as writer:
        writer.push(picture(1))
    assert writer._process.returncode is not None
    assert list((tmp_path / "o").iterdir()) == []
    writer.cancel()


@posix
def test_it_can_be_cancelled_from_another_thread_while_a_picture_is_going_out(tmp_path, stand_in):
    stand_in("signal.pause()")
    writer = VideoWriter(Wanted(tmp_path / "o" / "it.mp4", 50))
    threading.Timer(0.3, writer.cancel).start()
    with pytest.raises(SinkError, match="given up"):
        for _ in range(50):
            writer.push(LARGE)
    assert list((tmp_path / "o").iterdir()) == []


@posix
def test_a_video_needs_as_many_threads_for_a_thousand_frames_as_for_one(tmp_path, stand_in, monkeypatch):
    stand_in(WRITES)
    started: list[str] = []
    start = threading.Thread.start

    def counted(thread: threading.Thread) -> None:
        started.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", counted)
    with VideoWriter(Wanted(tmp_path / "it.mp4", 1000)) as writer:
        for _ in range(1000):
            writer.push(picture(1))
        writer.finish()
    assert started == ["ffmpeg's words", "ffmpeg's watchdog"]


@posix
@pytest.mark.parametrize("ends", ["finish", "cancel"])
def test_no_thread_is_left_of_a_video(tmp_path, stand_in, ends):
    stand_in(WRITES)
    before = set(threading.enumerate())
    with VideoWriter(Wanted(tmp_path / "it.mp4", 1)) as writer:
        writer.push(picture(1))
        getattr(writer, ends)()
    for thread in set(threading.enumerate()) - before:
        thread.join(5.0)
    assert set(threading.enumerate()) <= before


@posix
def test_frames_that_are_missing_or_too_many_are_said(tmp_path, stand_in):
    stand_in(WRITES)
    with VideoWriter(Wanted(tmp_path / "it.mp4", 2)) as writer:
        writer.push(picture(1))
        with pytest.raises(UsageError, match="got 1 of 2 frames"):
            writer.finish()
    with VideoWriter(Wanted(tmp_path / "it.mp4", 1)) as writer:
        writer.push(picture(1))
        with pytest.raises(UsageError, match="too many"):
            writer.push(picture(1))
    assert not (tmp_path / "it.mp4").exists()


@posix
@pytest.mark.parametrize(
    "data", [b"", b"<html>", picture(1, kind="JPEG"), b"GIF89a", b"\x89PNG\r\n\x1a\n" + bytes(17 << 20)]
)
def test_what_is_no_picture_is_refused(tmp_path, stand_in, data):
    stand_in(WRITES)
    with (
        VideoWriter(Wanted(tmp_path / "it.mp4", 2)) as writer,
        pytest.raises(UsageError, match="expected a PNG of at most"),
    ):
        writer.push(data)


@pytest.mark.parametrize(
    "wanted",
    [
        {"path": Path("it.avi")},
        {"frames": 0},
        {"frames": 10**7},
        {"fps": 0},
        {"fps": 1000},
        {"start_s": -1},
        {"start_s": float("nan")},
        {"pictures": "gif"},
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(wanted):
    with pytest.raises(UsageError):
        Wanted(**{"path": Path("it.mp4"), "frames": 10, **wanted})


@posix
def test_a_video_that_is_there_is_kept_unless_forced(tmp_path, stand_in):
    stand_in(WRITES)
    (tmp_path / "it.mp4").write_text("mine")
    with pytest.raises(SinkError, match="exists"):
        VideoWriter(Wanted(tmp_path / "it.mp4", 1))
    with VideoWriter(Wanted(tmp_path / "it.mp4", 1), force=True) as writer:
        writer.push(picture(1))
        writer.finish()
    assert (tmp_path / "it.mp4").read_bytes() == picture(1)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("name, kind", [("it.mp4", "PNG"), ("it.webm", "JPEG")])
def test_the_real_ffmpeg_makes_a_video(tmp_path, name, kind):
    soundfile.write(tmp_path / "s.wav", np.sin(np.arange(32000) / 10) * 0.3, 16000)
    with VideoWriter(Wanted(tmp_path / name, 30, 30, tmp_path / "s.wav", 0.5, kind.lower())) as writer:
        for frame in range(30):
            writer.push(picture(frame * 8, (65, 49), kind))
        path = writer.finish()
    magic = path.read_bytes()[:12]
    assert magic[4:8] == b"ftyp" if name.endswith("mp4") else magic[:4] == b"\x1a\x45\xdf\xa3"


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_a_jpegs_colours_are_those_of_the_video_as_a_player_shows_it(tmp_path):
    skin = (224, 172, 140)
    file = io.BytesIO()
    Image.new("RGB", (64, 64), skin).save(file, "JPEG", quality=95)
    with VideoWriter(Wanted(tmp_path / "it.mp4", 5, 30, pictures="jpeg")) as writer:
        for _ in range(5):
            writer.push(file.getvalue())
        path = writer.finish()
    look = "scale=in_color_matrix=bt709:in_range=tv,format=rgb24"
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vf", look, "-frames:v", "1", "-f", "rawvideo", "-"]
    shown = np.frombuffer(
        subprocess.run(command, check=True, capture_output=True, timeout=60).stdout, np.uint8
    ).reshape(64, 64, 3)
    assert np.abs(shown.astype(int) - skin).max() <= 4


def test_the_hints_name_a_way_for_every_system():
    assert set(video.HINT) == {"linux", "darwin", "win32"}
