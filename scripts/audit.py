"""Check every pinned dependency against PyPI's advisories: python scripts/audit.py

Exit code 1 if one has a known vulnerability. pip-audit reports success when its index knows none of the packages (a
mirror, no network), so packages that could not be looked up are counted and printed; they alone are no failure, since
not every machine has network access. Needs pip-audit: pip install pip-audit
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "constraints.txt"
LIMIT_S = 60


def main() -> int:
    """Run the audit and print its result. Returns the exit code."""
    if find_spec("pip_audit") is None:
        print("dependencies not audited: pip-audit is not installed; pip install pip-audit")
        return 0
    answer = ask()
    if answer is None:
        print("dependencies not audited: the advisories could not be reached")
        return 0
    lines, found = verdict(answer)
    print("\n".join(lines))
    return 1 if found else 0


def ask() -> dict[str, Any] | None:
    """pip-audit's JSON report on the pinned packages; None if it could not reach the advisories."""
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "-r",
        str(PINS),
        "--no-deps",
        "--disable-pip",
        "-f",
        "json",
        "--progress-spinner",
        "off",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        answer: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return answer


def verdict(answer: dict[str, Any]) -> tuple[list[str], bool]:
    """Lines to print, and whether a vulnerability was found."""
    asked = answer["dependencies"]
    known = [one for one in asked if "skip_reason" not in one]
    bad = [one for one in known if one["vulns"]]
    lines = [f"{one['name']} {one['version']}: {_line(vuln)}" for one in bad for vuln in one["vulns"]]
    rest = len(asked) - len(known)
    unknown = f"; {rest} could not be looked up here" if rest else ""
    return [
        *lines,
        f"{len(known)} of {len(asked)} dependencies looked up, {len(bad)} with known vulnerabilities{unknown}",
    ], bool(bad)


def _line(vulnerability: dict[str, Any]) -> str:
    fixed = ", ".join(vulnerability.get("fix_versions") or []) or "no version yet"
    return f"{vulnerability['id']}, fixed in {fixed}"


if __name__ == "__main__":
    sys.exit(main())
