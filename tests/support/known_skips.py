"""Why tests may be skipped where everything that they can use is installed: what the machine or the system has not, and
nothing else.

With `--known-skips`, as `.ci/run` has it, the run ends with the list of reasons, and any other reason fails it. A tool
that is missing is no such reason: `.ci/run` installs it.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

KNOWN = (
    # The system: what only Windows, only Linux or all but Windows can do.
    "the .cmd files do this on Windows",
    "a shell script",
    "the stand-in is a script",
    "macOS lists sockets for administrators only",
    "Windows makes links for administrators only",
    "Windows shares a port with whoever asks",
    "Windows has no such signals",
    "Windows sends Ctrl-C to whole consoles",
    "a pipe breaks otherwise on Windows",
    "only Linux's sound libraries write to standard error",
    "the kernel's own arrival times are read on Linux only",
    "wants a file system with holes in files",
    "network namespaces are Linux's",
    "this system allows no network of the test's own: .*",
    "this system cannot open a file without following links",
    "this system does not tell of ports where nobody listens",
    "this system has no /dev/full",
    "this system has no named pipes",
    "this system has no two such names",
    "this system kills in another way",
    "no SIGKILL on this system",
    "no /dev/full",
    # The machine: its network, its graphics card.
    "this machine has no IPv6 loopback: .*",
    "this machine has no way out: .*",
    "this machine's loopback takes no multicast: .*",
    "no interface of this machine has a way for IPv6 multicast",
    "[0-9a-f.:]+ is no address of this machine: .*",
    "no CUDA device here: .*",
    # Recordings of people, which are not distributed; where LIVELINK_BRIDGE_DATA names them these tests run.
    "no development data: .*",
    "no referee: .*",
)
"""Patterns, each of a whole reason."""


class KnownSkips:
    """A plugin of pytest: counts the reasons of skipped tests, those of other processes too, and fails the run for an
    unknown one."""

    def __init__(self, known: tuple[str, ...] = KNOWN) -> None:
        self._known = [re.compile(pattern) for pattern in known]
        self._met: Counter[str] = Counter()
        self._modules: set[tuple[str, str]] = set()

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._met[_reason(report)] += 1

    def pytest_collectreport(self, report: Any) -> None:
        """A module that is skipped whole; each process tells of it."""
        if report.skipped and (seen := (report.nodeid, _reason(report))) not in self._modules:
            self._modules.add(seen)
            self._met[seen[1]] += 1

    @property
    def unknown(self) -> list[str]:
        return sorted(reason for reason in self._met if not any(pattern.fullmatch(reason) for pattern in self._known))

    def pytest_sessionfinish(self, session: Any) -> None:
        if self.unknown and not hasattr(session.config, "workerinput") and session.exitstatus == 0:
            session.exitstatus = 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.section("why tests were skipped")
        for reason, count in sorted(self._met.items()):
            terminalreporter.write_line(f"{count:4} {'UNKNOWN ' * (reason in self.unknown)}{reason}")
        if self.unknown:
            terminalreporter.write_line(
                "a reason that is unknown fails the run: install what is missing in .ci/run, or, if it is the"
            )
            terminalreporter.write_line("machine's or the system's, write it into tests/support/known_skips.py")
        elif not self._met:
            terminalreporter.write_line("none was")


def _reason(report: Any) -> str:
    return " ".join(str(report.longrepr[2]).removeprefix("Skipped: ").split())
