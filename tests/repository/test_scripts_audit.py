"""The audit of dependencies says what it found, and what it could not look up."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

CLEAN = {"name": "numpy", "version": "2.4.6", "vulns": []}
HOLED = {
    "name": "pillow",
    "version": "9.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["9.1", "10.0"]}, {"id": "PYSEC-2", "fix_versions": []}],
}
UNKNOWN = {"name": "typer", "skip_reason": "Dependency not found on PyPI"}


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """scripts/audit.py, as if pip-audit were installed."""
    spec = importlib.util.spec_from_file_location(
        "audit_under_test", Path(__file__).parents[2] / "scripts" / "audit.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "find_spec", lambda name: name == "pip_audit")
    return module


def answering(monkeypatch: pytest.MonkeyPatch, audit: ModuleType, text: str) -> list[list[str]]:
    asked: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 1, stdout=text, stderr="")

    monkeypatch.setattr(audit.subprocess, "run", run)
    return asked


def test_a_known_vulnerability_fails_with_the_version_that_mends_it(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = answering(monkeypatch, audit, json.dumps({"dependencies": [CLEAN, HOLED]}))
    assert audit.main() == 1
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["pillow 9.0: PYSEC-1, fixed in 9.1, 10.0", "pillow 9.0: PYSEC-2, fixed in no version yet"]
    assert said[2] == "2 of 2 dependencies looked up, 1 with known vulnerabilities"
    assert str(audit.PINS) in asked[0] and audit.PINS.is_file()


def test_what_could_not_be_looked_up_is_no_clean_bill(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch, audit, json.dumps({"dependencies": [CLEAN, UNKNOWN]}))
    assert audit.main() == 0
    assert (
        capsys.readouterr().out
        == "1 of 2 dependencies looked up, 0 with known vulnerabilities; 1 could not be looked up here\n"
    )


def test_advisories_out_of_reach_are_said_and_do_not_fail(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch, audit, "")
    assert audit.main() == 0
    assert "could not be reached" in capsys.readouterr().out


def test_without_pip_audit_that_is_said(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "find_spec", lambda name: None)
    assert audit.main() == 0
    assert "pip-audit is not installed" in capsys.readouterr().out
