"""What is published works by itself: an sdist, a wheel made from it, and the program installed from that wheel, outside
the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

from arkit_mapping.takes.csv import read_take
from livelink_bridge import __version__
from speech_to_face.checkpoint import names

ROOT = Path(__file__).parents[2]
FOLDERS = ("livelink_bridge", "arkit_mapping", "models/speech_to_face", "models/speech_to_face_lab")
"""Folders of the repository that are packages; in the wheel each lies at the top."""
MADE = [
    line.strip("/")
    for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    if line and line[0] not in "/#"
]
"""Patterns of what is made while one works, in any folder."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def sh(*command: str | Path, cwd: Path) -> str:
    """What a command prints, run without this process's Python path. It has to end with 0."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "LIVELINK_BRIDGE_"))
    }
    environment |= {"LIVELINK_BRIDGE_HOME": str(cwd / "home"), "NO_COLOR": "1"}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def kept_files() -> list[Path]:
    """What the repository holds, by paths in it: files that git has or would take; in a copy without its history, what
    is not made."""
    if not (ROOT / ".git").exists():
        files = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        return [path for path in files if not any(fnmatch(part, made) for part in path.parts for made in MADE)]
    listed = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, timeout=60, check=True
    )
    return [
        Path(os.fsdecode(name)) for name in listed.stdout.split(b"\0") if name and (ROOT / os.fsdecode(name)).is_file()
    ]


def packaged_files() -> set[str]:
    """Files of the packages, by their paths in the repository."""
    return {
        path.as_posix()
        for path in kept_files()
        if path.as_posix().startswith(tuple(f"{folder}/" for folder in FOLDERS))
    }


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: building leaves folders behind, and a folder left from before would find its way in."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("sdist")
    for path in kept_files():
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, copy / path)
    build = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
    sh(sys.executable, "-c", build, out, cwd=copy)
    [made] = out.glob("*.tar.gz")
    return made


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from what the sdist holds and nothing else."""
    out = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(out, filter="data")
    [source] = [path for path in out.iterdir() if path.is_dir()]
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    sh(sys.executable, "-c", build, out, cwd=source)
    [made] = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of programs of a fresh environment with the wheel in it; the dependencies are those of this
    environment."""
    folder = tmp_path_factory.mktemp("environment")
    sh(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    python = programs / "python"
    sh(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-deps",
        "--no-index",
        "--quiet",
        wheel,
        cwd=folder,
    )
    site = Path(sh(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    # A path in a .pth file is searched, but .pth files in it are not read: the repository's own editable install stays
    # out.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return programs


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that is not in the repository."""
    assert not tmp_path.is_relative_to(ROOT)
    return tmp_path


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_beside_them(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == {path.removeprefix("models/") for path in packaged_files()}
    assert {f"speech_to_face/checkpoints/{name}/model.safetensors" for name in names()} <= held
    assert {"livelink_bridge/preview/face.glb", "livelink_bridge/demo/sentence.flac"} <= held


def test_the_sdist_holds_whatever_a_wheel_is_made_from(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml"} <= held
    assert packaged_files() <= held
    assert sdist.name == f"livelink_bridge-{__version__}.tar.gz"


def test_the_program_runs_from_the_wheel_alone(installed: Path, outside: Path) -> None:
    ask = "import livelink_bridge, speech_to_face; print(livelink_bridge.__file__, speech_to_face.__file__)"
    where = sh(installed / "python", "-c", ask, cwd=outside)
    assert all(path.startswith(str(installed.parent)) for path in where.split())
    assert sh(installed / "livelink-bridge", "--version", cwd=outside) == f"livelink-bridge {__version__}\n"
    listed = sh(installed / "livelink-bridge", "models", cwd=outside)
    assert all(name in listed for name in names()) and "as shipped" in listed
    assert "--no-browser" in sh(installed / "livelink-bridge", "preview", "--help", cwd=outside)


def test_the_bundled_sentence_becomes_a_take_outside_the_repository(installed: Path, outside: Path) -> None:
    where = "from livelink_bridge.demo import SENTENCE; print(SENTENCE)"
    sentence = sh(installed / "python", "-c", where, cwd=outside).strip()
    said = sh(installed / "livelink-bridge", "convert", sentence, "-o", "sentence.csv", cwd=outside)
    assert "583 frames for 9.2 s" in said
    take = read_take(outside / "sentence.csv")
    assert len(take.values) == 583 and take.values.max() > 0.3
