"""A run that is asked to lists why tests were skipped, and fails for a reason that nobody knows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = """
import sys
sys.path.insert(0, {support!r})
from known_skips import KnownSkips

def pytest_configure(config):
    config.pluginmanager.register(KnownSkips(("no card: .*",)))
"""
ONE = """
import pytest

@pytest.mark.parametrize("number", range(3))
def test_with_a_card(number):
    pytest.skip("no card: error 19")

def test_that_passes():
    pass
"""
WHOLE_MODULE = (
    "import pytest\npytest.importorskip('no_such_module_at_all', reason='a tool is missing')\ndef test_it(): pass\n"
)


def run(folder: Path, files: dict[str, str], *options: str) -> tuple[int, str]:
    for name, text in {
        "conftest.py": CONFTEST.format(support=str(Path(__file__).parents[1] / "support")),
        **files,
    }.items():
        (folder / name).write_text(text)
    alone = ["-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={folder}"]
    command = [sys.executable, "-m", "pytest", "-q", *alone, *options, str(folder)]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # a second sooner
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("options", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "shared out"])
def test_known_reasons_are_counted_and_the_run_passes(tmp_path: Path, options: tuple[str, ...]) -> None:
    code, said = run(tmp_path, {"test_one.py": ONE}, *options)
    assert code == 0 and "   3 no card: error 19\n" in said and "UNKNOWN" not in said


@pytest.mark.parametrize("options", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "shared out"])
def test_an_unknown_reason_fails_the_run_even_a_module_s(tmp_path: Path, options: tuple[str, ...]) -> None:
    code, said = run(tmp_path, {"test_one.py": ONE, "test_two.py": WHOLE_MODULE}, *options)
    assert code == 1 and "   1 UNKNOWN a tool is missing\n" in said and "   3 no card: error 19\n" in said


def test_a_reason_that_only_begins_like_a_known_one_is_unknown(tmp_path: Path) -> None:
    code, said = run(tmp_path, {"test_one.py": ONE.replace("no card: error 19", "there is no card: error 19")})
    assert code == 1 and "   3 UNKNOWN there is no card: error 19\n" in said
