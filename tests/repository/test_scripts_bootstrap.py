"""The set-up that needs nothing but Python: what it installs, what it leaves alone, what it runs."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """scripts/bootstrap.py, working in a folder of its own and noting what pip would be told."""
    spec = importlib.util.spec_from_file_location("bootstrap_under_test", ROOT / "scripts" / "bootstrap.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "constraints.txt").write_text("numpy==2.0\ntorch==2.13.0\n")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("version = 3.11\n")
    module.ROOT, module.VENV, module.told = tmp_path, tmp_path / ".venv", []  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "pip", lambda *arguments: module.told.append(arguments))
    monkeypatch.delenv("LIVELINK_BRIDGE_TORCH_INDEX", raising=False)
    return module


def test_torch_is_installed_alone_at_the_pinned_version(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "torch_version", lambda: None)
    bootstrap.install_torch()
    assert bootstrap.told == [("install", "torch==2.13.0")]


@pytest.mark.parametrize(("present", "installs"), [("2.13.0", False), ("2.12.1", True)])
def test_a_fitting_torch_is_left_alone(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, present: str, installs: bool
) -> None:
    monkeypatch.setattr(bootstrap, "torch_version", lambda: present)
    bootstrap.install_torch()
    assert bool(bootstrap.told) is installs


def test_the_environment_chooses_where_torch_comes_from(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "torch_version", lambda: None)
    monkeypatch.setenv("LIVELINK_BRIDGE_TORCH_INDEX", "https://example.org/cpu")
    bootstrap.install_torch()
    assert bootstrap.told == [("install", "torch==2.13.0", "--index-url", "https://example.org/cpu")]


def test_the_version_of_torch_is_read_without_its_build(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    said = subprocess.CompletedProcess([], 0, stdout="2.13.0+cpu\n")
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda *_, **__: said)
    assert bootstrap.torch_version() == "2.13.0"


def test_a_second_run_with_nothing_changed_installs_nothing(bootstrap: ModuleType) -> None:
    bootstrap.install_project("dev")
    assert len(bootstrap.told) == 1 and bootstrap.told[0][-1].endswith("[dev]")
    bootstrap.install_project("dev")
    bootstrap.install_project("")  # dev holds everything
    assert len(bootstrap.told) == 1


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt", ".venv/pyvenv.cfg"])
def test_a_change_of_what_is_needed_installs_again(bootstrap: ModuleType, changed: str) -> None:
    bootstrap.install_project("")
    with (bootstrap.ROOT / changed).open("a") as file:
        file.write("# changed\n")
    bootstrap.install_project("")
    assert len(bootstrap.told) == 2


def test_the_plain_install_does_not_stand_for_the_one_with_the_checks(bootstrap: ModuleType) -> None:
    bootstrap.install_project("")
    bootstrap.install_project("dev")
    assert [told[-1].endswith("[dev]") for told in bootstrap.told] == [False, True]


@pytest.mark.parametrize(
    ("given", "handed_on"),
    [
        (["-x", "tests/wire"], ["-x", "tests/wire"]),
        (["--slow"], ["-m", "slow"]),
        (["--gpu", "--soak", "-x"], ["-m", "gpu or soak", "-x"]),
    ],
)
def test_marks_have_flags_of_their_own_and_the_rest_goes_to_pytest(
    bootstrap: ModuleType, given: list[str], handed_on: list[str]
) -> None:
    assert bootstrap.pytest_arguments(given) == [*bootstrap.REPEATABLE, *handed_on]


def test_a_whole_run_is_parallel(bootstrap: ModuleType) -> None:
    assert bootstrap.pytest_arguments([]) == [*bootstrap.REPEATABLE, *bootstrap.PARALLEL]
    assert bootstrap.pytest_arguments(["--known-skips"]) == [
        *bootstrap.REPEATABLE,
        *bootstrap.PARALLEL,
        "--known-skips",
    ]


def test_the_checks_stop_at_the_first_that_fails(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def fail_at_mypy(command: list[str]) -> int:
        ran.append(command[2])
        return int(command[2] == "mypy")

    monkeypatch.setattr(bootstrap, "run", fail_at_mypy)
    assert bootstrap.check([]) == 1
    assert ran == ["ruff", "ruff", "mypy"]


def test_an_unknown_job_is_a_usage_error(bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["frobnicate"]) == 2
    assert "usage" in capsys.readouterr().err


def test_a_python_that_does_not_fit_is_named(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "TOO_NEW", (3, 11))
    assert bootstrap.main(["demo"]) == 1
    assert "install 3.11, 3.12 or 3.13" in capsys.readouterr().err


def test_a_step_that_fails_is_one_line(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise subprocess.CalledProcessError(3, ["pip", "install"])

    monkeypatch.setattr(bootstrap, "make_venv", broken)
    assert bootstrap.main(["demo"]) == 1
    assert capsys.readouterr().err == "set-up failed (exit 3): pip install\n"


def test_every_direct_dependency_is_pinned() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = {found.lower() for found in re.findall(r'^    "([A-Za-z][\w-]*)(?:\[\w+\])?>=', project, re.MULTILINE)}
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = {found.lower() for found in re.findall(r"^([\w-]+)==", pins, re.MULTILINE)}
    assert len(named) > 15
    assert named == pinned


@pytest.mark.parametrize("job", ["demo", "test"])
def test_windows_looks_for_each_python_that_fits_and_no_other(bootstrap: ModuleType, job: str) -> None:
    text = (ROOT / "scripts" / f"{job}.cmd").read_text(encoding="ascii")
    fitting = [f"3.{minor}" for minor in range(bootstrap.OLDEST[1], bootstrap.TOO_NEW[1])]
    assert f"in ({' '.join(fitting)}) do py -%%v " in text
    assert f'"%~dp0bootstrap.py" {job} %*' in text


@pytest.mark.skipif(sys.platform == "win32", reason="the .cmd files do this on Windows")
@pytest.mark.parametrize("script", ["demo", "test"])
def test_the_shell_scripts_call_the_bootstrap_with_their_arguments(script: str, tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    folder.mkdir()
    for name in (script, "python"):
        (folder / name).write_bytes((ROOT / "scripts" / name).read_bytes())
        (folder / name).chmod(0o755)
    (folder / "bootstrap.py").write_text("import sys; print(sys.argv[1:])")
    done = subprocess.run([folder / script, "--seconds", "3 4"], capture_output=True, text=True, timeout=15, check=True)
    assert done.stdout == f"['{script}', '--seconds', '3 4']\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_without_a_fitting_python_the_scripts_say_so(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", ROOT / "scripts" / "python", "x.py"],
        env={**os.environ, "PYTHON": str(old)},
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "") and "no Python 3.11, 3.12 or 3.13 found" in done.stderr
