"""Imports point one way: cli -> pipeline -> sources, sinks, inference -> wire, arkit_mapping, models. See
docs/architecture.md."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"livelink_bridge", "arkit_mapping", "speech_to_face"}
FOLDERS = {"speech_to_face": ROOT / "models"}
"""Where a package lies that is not directly in the repository."""

TOP = {"cli", "commands", "__main__", "api"}
"""What a user starts: nothing below may import it."""
WIRING = {"pipeline", "performance", "directing", "batch", "doctor"}
"""What puts the parts together: only the top may import it."""
IMPORTS_ONNX_RUNTIME = {"models/speech_to_face/onnx_sessions.py"}
"""Switches its telemetry off, which has to happen before the import."""
EDGES = ("sources", "sinks")
FILES = {"speech_to_face.audio_files"}
"""Sound files, which training reads as well as the program."""
HEAVY = {"torch", "transformers", "sounddevice", "onnxruntime"}
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


def modules(package: str) -> Iterator[tuple[str, Path]]:
    """Dotted name and file of each module of a package, subpackages included."""
    home = FOLDERS.get(package, ROOT)
    for path in sorted((home / package).rglob("*.py")):
        parts = path.relative_to(home).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports_onnx_runtime(path: Path) -> bool:
    """Whether a file does, anywhere in it."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return any(covers({"onnxruntime"}, name) for name in names)


def imported(path: Path) -> set[str]:
    """Dotted names that a file imports anywhere, functions included. `from a import b` counts as a.b where that is a
    module, else as a."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, (
                f"{path.name}, line {node.lineno}: relative import; the layering test reads full names"
            )
            assert node.module is not None
            names |= {full if is_module(full := f"{node.module}.{alias.name}") else node.module for alias in node.names}
    return names


def is_module(name: str) -> bool:
    path = FOLDERS.get(name.partition(".")[0], ROOT).joinpath(*name.split("."))
    return name.partition(".")[0] in OURS and (path.with_suffix(".py").exists() or path.is_dir())


def offences(package: str, allowed: set[str], forbidden: set[str]) -> list[str]:
    """`module -> import` for each import of our own outside `allowed`, or of anything in `forbidden`; names cover what
    is below them."""
    return [
        f"{module} -> {name}"
        for module, path in modules(package)
        for name in sorted(imported(path))
        if covers(forbidden, name) or (covers(OURS, name) and not covers(allowed, name))
    ]


def covers(names: set[str], name: str) -> bool:
    return any(name == entry or name.startswith(f"{entry}.") for entry in names)


def parts_of_the_application(*, without: set[str]) -> list[str]:
    """First-level modules and packages of livelink_bridge."""
    found = {module.split(".")[1] for module, _ in modules("livelink_bridge") if "." in module}
    return sorted(found - without)


def reaches(part: str, targets: set[str]) -> list[str]:
    """`module -> import` for each import that a part of the application has of the targets or what is below them."""
    return [
        f"{module} -> {name}"
        for module, path in modules("livelink_bridge")
        if module.split(".")[1:2] == [part]
        for name in sorted(imported(path))
        if covers(targets, name)
    ]


def test_the_check_sees_modules_and_their_imports() -> None:
    wire = dict(modules("livelink_bridge/wire"))["livelink_bridge.wire.livelink"]
    assert {"struct", "numpy", "livelink_bridge.errors"} <= imported(wire)
    assert offences("livelink_bridge/wire", set(), set()) != []


def test_arkit_mapping_imports_neither_other_package_and_only_numpy_and_yaml() -> None:
    assert offences("arkit_mapping", {"arkit_mapping"}, HEAVY | NO_EDGE) == []
    others = {name.partition(".")[0] for _, path in modules("arkit_mapping") for name in imported(path)}
    assert others - set(sys.stdlib_module_names) - {"arkit_mapping"} <= {"numpy", "yaml"}


def test_the_networks_know_the_channels_takes_and_whole_files_and_nothing_else_of_ours() -> None:
    allowed = {
        "speech_to_face",
        *(f"arkit_mapping.{name}" for name in ("channels", "take_names", "takes", "whole_file")),
    }
    assert offences("speech_to_face", allowed, {"socket", "sounddevice"}) == []


def test_wire_opens_no_socket_starts_no_thread_and_reads_no_clock() -> None:
    assert (
        offences(
            "livelink_bridge/wire", {"livelink_bridge.wire", "livelink_bridge.errors", "arkit_mapping"}, HEAVY | NO_EDGE
        )
        == []
    )


def test_only_the_top_imports_what_puts_the_parts_together() -> None:
    for part in parts_of_the_application(without=TOP | WIRING):
        assert reaches(part, {f"livelink_bridge.{name}" for name in WIRING}) == []


def test_nothing_imports_the_command_line() -> None:
    for part in parts_of_the_application(without=TOP):
        assert reaches(part, {f"livelink_bridge.{name}" for name in TOP}) == []


def test_onnx_runtime_is_imported_in_one_place_which_switches_its_telemetry_off() -> None:
    folders = ("livelink_bridge", "arkit_mapping", "models", "benchmarks", "examples", "scripts", "tests")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    importing = {file.relative_to(ROOT).as_posix() for file in files if imports_onnx_runtime(file)}
    assert importing == IMPORTS_ONNX_RUNTIME


@pytest.mark.parametrize("edge", EDGES)
def test_an_edge_knows_no_other_edge_and_no_network(edge: str) -> None:
    others = {f"livelink_bridge.{name}" for name in EDGES if name != edge}
    known = reaches(edge, others | {"speech_to_face"})
    assert [one for one in known if not covers(FILES, one.partition(" -> ")[2])] == []


def test_reading_sound_files_takes_no_network() -> None:
    found = [path for module, path in modules("speech_to_face") if covers(FILES, module)]
    names = {name for path in found for name in imported(path)}
    assert "soundfile" in names
    assert [
        name
        for name in sorted(names)
        if covers(HEAVY | NO_EDGE, name) or (covers(OURS, name) and not covers(FILES, name))
    ] == []


@pytest.mark.parametrize("module", ["livelink_bridge.cli", "livelink_bridge.monitor.monitor"])
def test_starting_the_program_loads_no_heavy_library(module: str) -> None:
    code = f"import sys, {module}; print(*({{name.partition('.')[0] for name in sys.modules}} & {HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, cwd=ROOT)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr
