"""Behind the walls a process reads and writes its folder, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TRIED = {
    "a program": "__import__('subprocess').run(['true'])",
    "a shell": "__import__('os').system('true')",
    "a fork": "__import__('os').fork()",
    "a connection": "__import__('socket').create_connection(('127.0.0.1', 9), 1)",
    "a library": "__import__('ctypes').CDLL('libm.so.6')",
    "a file elsewhere": "open({outside!r} + '/new.txt', 'w')",
    "a way round by ..": "open({inside!r} + '/../new.txt', 'w')",
    "a removal": "__import__('os').remove({outside!r} + '/there.txt')",
    "a file carried off": "__import__('os').rename({outside!r} + '/there.txt', {inside!r} + '/there.txt')",
}


def behind_the_walls(code: str, inside: Path) -> subprocess.CompletedProcess[str]:
    first = "import subprocess, socket, ctypes, pathlib; from speech_to_face.official.sandbox import restrict_to"
    script = f"{first}; restrict_to(pathlib.Path({str(inside)!r})); {code}"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=20)


@pytest.mark.parametrize("what", TRIED)
def test_it_is_refused(what: str, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "there.txt").write_text("hello")
    done = behind_the_walls(TRIED[what].format(inside=str(inside), outside=str(tmp_path)), inside)
    assert done.returncode == 1 and "WallError: refused" in done.stderr, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inside", "there.txt"]


def test_reading_anywhere_and_writing_inside_are_allowed(tmp_path: Path) -> None:
    (tmp_path / "there.txt").write_text("hello")
    inside = tmp_path / "inside"
    inside.mkdir()
    done = behind_the_walls(
        f"open({str(inside / 'new')!r}, 'w').write(open({str(tmp_path / 'there.txt')!r}).read())", inside
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (inside / "new").read_text() == "hello"
