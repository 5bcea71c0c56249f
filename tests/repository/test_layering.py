"""Imports point down. What lies on what is the table `LAYERS`; see docs/architecture.md.

Every import counts, wherever it stands: in a function and under TYPE_CHECKING too. One that points up is turned by
moving what both sides share to its own layer, not by hiding it in a function.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest
from import_graph import HOMES, ROOT, covers, cycles, folders, graph, imported, inside, is_module, modules

PROGRAM, TESTING = "livelink_bridge", "livelink_bridge.testing"
LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "version", "demo"),
    ("core",),
    ("audio", "timing", "wire", "network"),
    ("reporting", "settings", "face"),
    ("devices",),
    ("sources",),
    ("takes", "analysis"),
    ("sinks",),
    ("sync_test", "remote_control", "monitor"),
    ("session", "speech_server", "doctor"),
    ("api", "batch", "preview", "console"),
    ("commands",),
    ("cli",),
    ("", "__main__"),
)
"""Folders and modules of livelink_bridge, the lowest first. Each imports only what stands on a line above its own. ""
is the package itself, whose door opens on the api. Its folder `testing` imports anything, and nothing imports it."""
ORDER = {part: line for line, parts in enumerate(LAYERS) for part in parts}
NETWORKS, LAB = "speech_to_face", "speech_to_face_lab"
"""The networks as the program runs them; training and evaluation, which it can start and does not need."""
USE_THE_LAB = {"livelink_bridge.commands.models"}

MAX_MODULES = 12
"""In a folder, without its `__init__` and `__main__`: about ten; one more idea is a folder of its own."""

PURE = (
    "livelink_bridge.core",
    "livelink_bridge.audio",
    "livelink_bridge.timing",
    "livelink_bridge.wire",
    "arkit_mapping",
)
NO_EDGE = {
    "socket",
    "socketserver",
    "selectors",
    "asyncio",
    "threading",
    "multiprocessing",
    "subprocess",
    "time",
    "queue",
}
"""Sockets, threads, processes and clocks."""
IMPURE = {
    "livelink_bridge.core.clock": {"threading", "time"},
    "livelink_bridge.core.workers": {"threading"},
    "livelink_bridge.core.channel": {"threading"},
    "livelink_bridge.audio.delay_line": {"threading"},
    "livelink_bridge.audio.input.input_chain": {"threading"},
}
"""Of core the modules that are there for it; of audio two that guard what two threads use with a lock."""
IMPORTS_ONNX_RUNTIME = {"models/speech_to_face/onnx_sessions.py"}
"""Switches its telemetry off, which has to happen before the import."""
EDGES = ("sources", "sinks")
FILES = {"speech_to_face.audio_files"}
"""Audio files, which training reads as well as the program."""
HEAVY = {"torch", "transformers", "sounddevice", "onnxruntime"}


def part(module: str) -> str:
    """`livelink_bridge.audio.pcm` -> `audio`: what of LAYERS it is or lies in."""
    return module.split(".")[1] if "." in module else ""


def imports(*packages: str, of: Collection[str]) -> list[str]:
    """`module:line -> import` for each import of the packages that is one of `of` or lies below it."""
    return [
        f"{module}:{line} -> {name}"
        for package in packages
        for module, path in modules(package)
        for name, line in sorted(imported(path).items())
        if covers(of, name)
    ]


def imports_of_ours(package: str, *, but: Collection[str]) -> list[str]:
    """`module:line -> import` for each import of a module of this repository that is not below one of `but`."""
    return [
        f"{module}:{line} -> {name}"
        for module, path in modules(package)
        for name, line in sorted(imported(path).items())
        if is_module(name) and not covers(but, name)
    ]


def test_the_check_sees_every_import_wherever_it_stands(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from livelink_bridge.wire import livelink\n"
        "def late():\n    from livelink_bridge.errors import BridgeError\n    import struct, numpy.linalg\n"
    )
    found = {"typing": 1, "livelink_bridge.wire.livelink": 3, "livelink_bridge.errors": 5, "struct": 6}
    assert imported(source) == found | {"numpy.linalg": 6}
    assert len(graph()) > 400 and "livelink_bridge.core.frames" in graph()["livelink_bridge.face.animator"]


def test_packages_import_by_full_names() -> None:
    assert [name for package in HOMES for name in imports(package, of={""})] == []


def test_a_cycle_is_found() -> None:
    edges = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"e"}, "e": {"d"}, "f": {"a"}}
    assert sorted(cycles(edges)) == [["a", "b", "c"], ["d", "e"]]
    assert cycles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_every_folder_and_module_of_the_program_has_its_layer() -> None:
    there = {part(module) for module, _ in modules(PROGRAM)}
    assert there - {part(TESTING)} == set(ORDER)
    assert len(ORDER) == sum(map(len, LAYERS)), "one of them stands on two lines"


def test_the_page_of_the_architecture_shows_the_layers() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("| `livelink_bridge/` |")[2].partition("\n\n")[0]
    rows = [re.findall(r"`(\w+)`", row.split("|")[1]) for row in table.splitlines()[2:]]
    assert [name for row in rows for name in row] == [name for line in LAYERS[1:-1] for name in line]


def test_every_import_of_the_program_points_down() -> None:
    up = [
        f"{module}:{line} -> {name}"
        for module, names in graph().items()
        if covers([PROGRAM], module) and not covers([TESTING], module)
        for name, line in names.items()
        if covers([PROGRAM], name)
        and part(module) != part(name)
        and ORDER.get(part(name), len(LAYERS)) >= ORDER[part(module)]
    ]
    assert up == []


def test_no_folder_holds_a_cycle_of_folders_or_modules() -> None:
    assert {folder: rings for folder in folders() if (rings := cycles(inside(folder)))} == {}


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert cycles(graph()) == []


def test_a_folder_holds_no_more_modules_than_one_can_look_over() -> None:
    held = {
        folder: len(list(HOMES[folder.partition(".")[0]].joinpath(*folder.split(".")).glob("[!_]*.py")))
        for folder in folders()
    }
    assert {folder: count for folder, count in held.items() if count > MAX_MODULES} == {}


def test_the_frame_rate_is_defined_once() -> None:
    defined = [
        f"{module}.{name.id}"
        for package in HOMES
        for module, path in modules(package)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value == 60
        for name in node.targets
        if isinstance(name, ast.Name) and name.id.endswith(("RATE", "RATE_HZ"))
    ]
    assert defined == ["arkit_mapping.channels.FRAME_RATE"]


def test_packages_lie_on_each_other() -> None:
    assert imports_of_ours("arkit_mapping", but={"arkit_mapping"}) == []
    assert imports_of_ours(NETWORKS, but={"arkit_mapping", NETWORKS}) == []
    assert imports_of_ours(LAB, but={"arkit_mapping", NETWORKS, LAB}) == []
    assert imports_of_ours(PROGRAM, but={"arkit_mapping", NETWORKS, LAB, PROGRAM}) == []


def test_of_the_program_only_the_commands_for_models_import_the_lab() -> None:
    assert [found for found in imports(PROGRAM, of={LAB}) if not covers(USE_THE_LAB, found.partition(":")[0])] == []


def test_what_programs_import_knows_no_command_line() -> None:
    command_line = {"livelink_bridge.commands", "livelink_bridge.console", "livelink_bridge.cli", "typer", "click"}
    assert imports("livelink_bridge.api", "livelink_bridge.session", of=command_line) == []


def test_arkit_mapping_imports_only_numpy_and_yaml() -> None:
    others = {name.partition(".")[0] for _, path in modules("arkit_mapping") for name in imported(path)}
    assert others - set(sys.stdlib_module_names) - {"arkit_mapping"} <= {"numpy", "yaml"}


def test_the_networks_know_the_channels_takes_and_whole_files_and_nothing_else_of_the_mapping() -> None:
    allowed = {NETWORKS, *(f"arkit_mapping.{name}" for name in ("channels", "takes", "whole_file"))}
    assert imports_of_ours(NETWORKS, but=allowed) == []
    assert imports(NETWORKS, of={"socket", "sounddevice"}) == []


def test_wire_knows_the_channels_and_the_errors_alone() -> None:
    allowed = {"livelink_bridge.wire", "livelink_bridge.errors", "arkit_mapping"}
    assert imports_of_ours("livelink_bridge.wire", but=allowed) == []


@pytest.mark.parametrize("package", PURE)
def test_pure_folders_open_no_socket_start_no_thread_and_read_no_clock(package: str) -> None:
    for module, path in modules(package):
        found = {name for name in imported(path) if covers(NO_EDGE, name)}
        assert found <= IMPURE.get(module, set()), module
    assert imports(package, of=HEAVY) == []


def test_onnx_runtime_is_imported_in_one_place_which_switches_its_telemetry_off() -> None:
    searched = ("livelink_bridge", "arkit_mapping", "models", "benchmarks", "examples", "scripts", "tools", "tests")
    files = [file for folder in searched for file in (ROOT / folder).rglob("*.py")]
    importing = [file for file in files if any(covers({"onnxruntime"}, name) for name in imported(file))]
    assert {file.relative_to(ROOT).as_posix() for file in importing} == IMPORTS_ONNX_RUNTIME


@pytest.mark.parametrize("edge", EDGES)
def test_an_edge_knows_no_other_edge_and_no_network(edge: str) -> None:
    others = {f"{PROGRAM}.{name}" for name in EDGES if name != edge} | {NETWORKS}
    known = imports(f"{PROGRAM}.{edge}", of=others)
    assert [one for one in known if not covers(FILES, one.partition(" -> ")[2])] == []


def test_reading_audio_files_takes_no_network() -> None:
    found = [path for module, path in modules(NETWORKS) if covers(FILES, module)]
    names = {name for path in found for name in imported(path)}
    assert "soundfile" in names
    assert [
        name for name in sorted(names) if covers(HEAVY | NO_EDGE, name) or (is_module(name) and not covers(FILES, name))
    ] == []


@pytest.mark.parametrize("module", ["livelink_bridge.cli", "livelink_bridge.monitor.monitor"])
def test_starting_the_program_loads_no_heavy_library(module: str) -> None:
    code = f"import sys, {module}; print(*({{name.partition('.')[0] for name in sys.modules}} & {HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, cwd=ROOT)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr
