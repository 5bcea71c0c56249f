"""Create `.venv`, install the project into it, then run the demo or the checks. Needs only Python itself.

    python scripts/bootstrap.py demo [arguments of `livelink-bridge demo`]
    python scripts/bootstrap.py test [--slow | --gpu | --soak] [--known-skips] [arguments of pytest]

A second run without changes starts at once. torch is installed first, in its own step, and kept if `.venv` already has
a build of the pinned version: install the build you want there, and no other is downloaded.
LIVELINK_BRIDGE_TORCH_INDEX is the package index for torch (PyTorch's install page lists them).
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
PIP_PLACES = ("lib/python*/site-packages/pip", "Lib/site-packages/pip")
INPUTS = ("pyproject.toml", "constraints.txt")
OLDEST, TOO_NEW = (3, 11), (3, 14)
TORCH_PAGE = "https://pytorch.org/get-started/locally/"
EXTRAS = {"demo": "preview", "test": "dev"}
MARKS = {"--slow": "slow", "--gpu": "gpu", "--soak": "soak"}
KNOWN_SKIPS = "--known-skips"
"""For continuous integration: a skipped test whose reason is not in tests/support/known_skips.py fails the run."""
REPEATABLE = ("--hypothesis-profile=ci", "--rerun-real-time=2", "-rR")
"""Every run of one commit tries the same hypothesis examples; plain pytest searches for new ones. Tests marked
`real_time` wait for the wall clock, and a shared machine may stall for half a second: one that fails is run again, and
each rerun is listed. Every other test has one run."""
PARALLEL = ("-n=3", "--dist=loadgroup", "--no-loadscope-reorder")
"""Of a whole run, on two cores: the real-time tests are one group in one process, which mostly waits; two processes run
the rest. The groups start in the order of tests/support/sharing.py."""
SOURCES = ("livelink_bridge", "arkit_mapping", "models", "tools", "benchmarks", "examples", "scripts", "tests")


def main(arguments: list[str]) -> int:
    """Install, then run the demo or the checks. Returns the exit code."""
    if not arguments or arguments[0] not in EXTRAS:
        print(f"usage: bootstrap.py {'|'.join(EXTRAS)} [ARGUMENT...]", file=sys.stderr)
        return 2
    if not OLDEST <= sys.version_info[:2] < TOO_NEW:
        print(f"Python {sys.version.split()[0]} does not fit: install 3.11, 3.12 or 3.13", file=sys.stderr)
        return 1
    job, rest = arguments[0], arguments[1:]
    try:
        make_venv()
        install_torch()
        install_project(EXTRAS[job])
    except subprocess.CalledProcessError as error:
        print(f"set-up failed (exit {error.returncode}): {' '.join(map(str, error.cmd))}", file=sys.stderr)
        return 1
    return demo(rest) if job == "demo" else check(rest)


def make_venv() -> None:
    """Create `.venv`, or complete one whose creation was interrupted."""
    if PYTHON.exists() and any(pip_in for pattern in PIP_PLACES for pip_in in VENV.glob(pattern)):
        return
    print(f"making {VENV}", flush=True)
    try:
        venv.create(VENV, with_pip=True)
    except subprocess.CalledProcessError:
        print("this Python has no ensurepip; on Debian and Ubuntu: apt install python3-venv", file=sys.stderr)
        raise


def install_torch() -> None:
    """Install the pinned torch unless `.venv` has any build of that version."""
    version = pinned("torch", (ROOT / "constraints.txt").read_text(encoding="utf-8"))
    if torch_version() == version:
        return
    index = os.environ.get("LIVELINK_BRIDGE_TORCH_INDEX")
    print(
        f"installing torch {version} from {index or 'the default index'}; to choose another build: {TORCH_PAGE}",
        flush=True,
    )
    pip("install", f"torch=={version}", *(["--index-url", index] if index else []))


def install_project(extra: str) -> None:
    """Install the project and its dependencies, unless INPUTS are unchanged since the last time."""
    stamps = [VENV / f".installed-{name or 'core'}" for name in (extra, "dev")]  # dev includes every extra
    current = fingerprint()
    if any(stamp.exists() and stamp.read_text(encoding="utf-8") == current for stamp in stamps):
        return
    print("installing livelink-bridge", flush=True)
    pip("install", "-c", str(ROOT / "constraints.txt"), "-e", f"{ROOT}[{extra}]" if extra else str(ROOT))
    stamps[0].write_text(current, encoding="utf-8")


def pip(*arguments: str) -> None:
    """Run pip in `.venv`. Raises CalledProcessError."""
    command = [str(PYTHON), "-m", "pip", "--no-input", "--disable-pip-version-check", *arguments, "--quiet"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def pinned(package: str, constraints: str) -> str:
    """The version of a package in the text of constraints.txt."""
    found = re.search(rf"^{re.escape(package)}==(\S+)", constraints, re.MULTILINE)
    if found is None:
        raise SystemExit(f"constraints.txt does not pin {package}")
    return found[1]


def torch_version() -> str | None:
    """The version of torch in `.venv`, without its build ("+cpu"); None if it is not installed."""
    ask = "from importlib.metadata import version; print(version('torch'))"
    answer = subprocess.run(
        [str(PYTHON), "-c", ask], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    return answer.stdout.strip().partition("+")[0] or None


def fingerprint() -> str:
    """A hash of the dependencies, the folder and the Python of `.venv`."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in (*(ROOT / name for name in INPUTS), VENV / "pyvenv.cfg"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def demo(arguments: list[str]) -> int:
    """Run `livelink-bridge demo`. Returns its exit code."""
    return run([str(PYTHON), "-m", "livelink_bridge", "demo", *arguments])


def check(arguments: list[str]) -> int:
    """Check format, lint and types, then run the tests; only the marked tests with --slow, --gpu or --soak."""
    sources = [name for name in SOURCES if any((ROOT / name).rglob("*.py"))]
    steps = [
        [str(PYTHON), "-m", "ruff", "format", "--check", "--quiet", *sources],
        [str(PYTHON), "-m", "ruff", "check", *sources],
        [str(PYTHON), "-m", "mypy"],
        [str(PYTHON), "-m", "pytest", *pytest_arguments(arguments)],
    ]
    return next((code for code in map(run, steps) if code), 0)


def pytest_arguments(arguments: list[str]) -> list[str]:
    """pytest's arguments: --slow, --gpu and --soak become marks, the rest is passed on. Without them the project's own
    selection applies."""
    marks = [MARKS[argument] for argument in arguments if argument in MARKS]
    rest = [argument for argument in arguments if argument not in MARKS]
    parallel = PARALLEL if set(arguments) <= {KNOWN_SKIPS} else ()
    return [*REPEATABLE, *parallel, *(["-m", " or ".join(marks)] if marks else []), *rest]


def run(command: list[str]) -> int:
    """Print and run a command in the repository. Returns its exit code, 130 after Ctrl-C."""
    print("$", " ".join([Path(command[0]).name, *command[1:]]), flush=True)
    try:
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
