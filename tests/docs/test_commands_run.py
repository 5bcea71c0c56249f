"""Every command of the pages that needs nothing but this machine is given once, as it stands there, and does not
fail."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import homes
import numpy as np
import page_run
import pytest
import soundfile
from cases import case
from doc_commands import PROGRAM, commands
from doc_pages import CARDS, DOCS, ROOT, UNREAL, Block, blocks, name
from page_run import Line, Page, Told
from sound_server import sound_server

from arkit_mapping.takes.csv import write_take
from livelink_bridge.demo import SENTENCE
from speech_to_face import checkpoint

pytestmark = pytest.mark.timeout(400)
PAGES = [page for page in (ROOT / "README.md", *DOCS, *UNREAL, *CARDS) if page.name != "commands.md"]
NOT_RUN = {
    r"pip install .*": "installs software",
    r"apt-get install .*": "installs software",
    r"(\S+=\S+ )?scripts/demo.*": "sets up .venv, as continuous integration does by scripts/test",
    r"scripts/train FOLDER.*": "trains for hours, on recordings of people",
    r"livelink-bridge train .*": "trains for hours, on a corpus that takes hours to make",
    r"livelink-bridge adapt .*": "trains for minutes, on takes of a person",
    r"accelerate launch .*": "trains, on several graphics cards",
    r"python -m speech_to_face_lab\.adapt\.from_captures .*": "reads recordings of people",
    r"livelink-bridge evaluate .* --data FOLDER": "reads recordings of people",
    r"python -m speech_to_face_lab\.corpus .*": "speaks for hours, with every voice of three engines",
    r"python benchmarks/bench_gate\.py --data FOLDER": "reads recordings of people",
    r"python benchmarks/papers\.py .*": "trains for hours, on a corpus that takes hours to make",
    r"python benchmarks/soak\.py .*": "takes an hour",
    r"python benchmarks/streams\.py --device cuda .*": "wants a graphics card",
    r"python -m pytest .*": "runs tests, these among them",
    r"python scripts/make_.*": "writes pages of the repository; tests/repository/test_scripts_docs.py and "
    "tests/docs/test_site.py hold them",
    r"livelink-bridge models download .*": "fetches from the Hugging Face hub",
    r"livelink-bridge models convert .*": "reads files that others publish",
    r"livelink-bridge convert .* --ray-address .*": "joins a cluster of several machines",
    r"livelink-bridge sync-test .* --audio-out Studio": "wants a sound card of that name",
    r".*ray start --head && python examples/serve_ray\.py .*": "wants eight cores; tests/program/test_serve_ray.py "
    "runs the example",
}
"""Patterns of whole lines, their comments left out, with what they need besides this machine."""
SLOW = r"python benchmarks/.*"
"""Of the rest: measures for a minute or several, so that only the slow tests run it."""
ENDLESS = ("--mic", "listen", "monitor", "preview", "sync-test")
"""Verbs that go on until they are interrupted."""
MODULES = """
load-module module-null-sink sink_name=Studio sink_properties=device.description=Studio
load-module module-null-sink sink_name=Yeti sink_properties=device.description=Yeti
set-default-sink Studio
set-default-source Yeti.monitor
"""
SPEECH_S = 0.8


def lines(block: Block) -> Iterator[str]:
    """The commands of a block that no other test runs, each on a line, without comments and without the folder of the
    set-up."""
    if block.mark == "run":
        return
    for line in block.text.replace("\\\n", " ").splitlines():
        if (command := command_of(line.strip(), block.language)) and commands(command):
            yield " ".join(re.sub(r"\s#\s.*", "", command).removeprefix(".venv/bin/").split())


def command_of(line: str, language: str) -> str | None:
    """The line as a command, or None. In a block without a language only ours are: the rest is what is printed, or
    somebody else's."""
    if language == "sh":
        return line
    if language == "console":
        return line[2:] if line.startswith("$ ") else None
    ours = rf"(\$ )?(\S+=\S+ )?(\S*/)?({PROGRAM}|demo|test|train)( |$)"
    return line.removeprefix("$ ") if language == "" and re.match(ours, line) else None


def why_not(line: str) -> str | None:
    return next((why for pattern, why in NOT_RUN.items() if re.fullmatch(pattern, line)), None)


def endless(line: str) -> bool:
    words = commands(line)[-1]
    return words[0].endswith(PROGRAM) and (words[1] in ENDLESS or "--loop" in words or "--seconds" in words)


def measuring() -> list[str]:
    given = dict.fromkeys(line for page in PAGES for block in blocks(page) for line in lines(block))
    return [line for line in given if re.fullmatch(SLOW, line) and why_not(line) is None]


def to_run() -> dict[Path, list[list[Line]]]:
    """By page the blocks with their commands; one that stands on several pages is run on the first."""
    seen: set[str] = set()
    found: dict[Path, list[list[Line]]] = {}
    for page in PAGES:
        for block in blocks(page):
            new = [
                line
                for line in lines(block)
                if line not in seen and why_not(line) is None and not re.fullmatch(SLOW, line)
            ]
            seen.update(new)
            if new:
                found.setdefault(page, []).append([Line(command=line, endless=endless(line)) for line in new])
    return found


TO_RUN = to_run()


def furnish(folder: Path) -> None:
    """What a reader has: lines of speech, takes, a checkpoint, a film; the program's own folders."""
    for own in ("livelink_bridge", "examples", "benchmarks", "scripts"):
        (folder / own).symlink_to(ROOT / own)
    samples, rate_hz = soundfile.read(SENTENCE, dtype="float32")
    spoken = samples[: round(SPEECH_S * rate_hz)]
    for sound in ("voices/a.wav", "voices/x/b.wav", "line.wav", "line.flac", "scene1.wav", "scene2.flac", "hello.wav"):
        (folder / sound).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / sound, spoken, rate_hz)
    for take in (
        "TAKE",
        "MOUTH",
        "UPPER",
        "20241204_MySlate_166",
        "takes/20241204_MySlate_1",
        "takes/20241204_MySlate_2",
    ):
        (folder / take).mkdir(parents=True)
        write(folder / take / f"{Path(take).name}.csv", 5 if take == "TAKE" else 1)
    write(folder / "take.csv", 8)
    (folder / "ada.yaml").write_text("gain: {JawOpen: 1.2}\n")
    if shutil.which("ffmpeg"):
        subprocess.run(
            ["ffmpeg", "-loglevel", "error", "-i", "line.wav", "show.mp4"], cwd=folder, check=True, timeout=60
        )
    shutil.copytree(checkpoint.find("pmmtalk-live"), folder / "actor")


def write(path: Path, seconds: float) -> None:
    """A take of ten o'clock in which everything opens and closes once a second."""
    at_s = np.arange(round(60 * seconds)) / 60
    write_take(path, np.tile(np.sin(np.pi * at_s)[:, None] ** 2, (1, 61)).astype(np.float32), start_s=36_000)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """What each command said, by the command."""
    if sys.platform != "linux":
        pytest.skip("network namespaces are Linux's")
    probe = subprocess.run(["unshare", "-rnm", "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"this system allows no network of the test's own: {probe.stderr.strip()}")
    folder = tmp_path_factory.mktemp("reader")
    pages = []
    for page, found in TO_RUN.items():
        place = folder / name(page).replace("/", "-")
        place.mkdir()
        furnish(place)
        pages.append(Page(folder=str(place), blocks=found))
    command = ["unshare", "-rnm", sys.executable, page_run.__file__]
    with sound_server(folder, MODULES) as sound:
        environment = {**homes.environment(folder / "home"), **sound, **programs(folder / "bin")}
        done = subprocess.run(
            command, input=json.dumps(pages), env=environment, capture_output=True, text=True, timeout=380, check=False
        )
    assert done.returncode == 0, done.stderr
    return {one["command"]: one for page in json.loads(done.stdout) for one in page}


def programs(folder: Path) -> dict[str, str]:
    """A PATH on which this interpreter's program lies, and no other's; no browser window opens."""
    folder.mkdir()
    for called, does in (
        (PROGRAM, f'exec "{sys.executable}" -m livelink_bridge "$@"'),
        ("python", f'exec "{sys.executable}" "$@"'),
    ):
        (folder / called).write_text(f"#!/bin/sh\n{does}\n")
        (folder / called).chmod(0o755)
    return {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "BROWSER": "true",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": "",
    }


@pytest.mark.parametrize(
    "line", [line for found in TO_RUN.values() for block in found for line in block], ids=lambda line: line["command"]
)
def test_a_command_of_the_pages_does_not_fail(line: Line, told: dict[str, Told]) -> None:
    if line["command"].startswith("ffmpeg ") and not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not installed")
    ended = told[line["command"]]
    assert ended["code"] in ((0, 130) if line["endless"] else (0,)), ended["output"]
    assert "Traceback" not in ended["output"]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("line", measuring())
def test_a_measurement_of_the_pages_can_be_made_again(line: str, tmp_path: Path) -> None:
    environment = {**homes.environment(tmp_path / "home"), **programs(tmp_path / "bin")}
    done = subprocess.run(
        ["bash", "-c", line], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=880, check=False
    )
    assert done.returncode == 0 and done.stdout.strip(), done.stdout + done.stderr


def test_what_is_not_run_stands_on_some_page() -> None:
    for pattern in NOT_RUN:
        with case(pattern):
            assert any(re.fullmatch(pattern, line) for page in PAGES for block in blocks(page) for line in lines(block))


def test_most_commands_are_run() -> None:
    given = {line for page in PAGES for block in blocks(page) for line in lines(block)}
    run = {line["command"] for found in TO_RUN.values() for block in found for line in block}
    assert len(run) >= 40 and given - run - set(measuring()) == {line for line in given if why_not(line)}
