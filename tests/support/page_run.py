"""Gives the commands of pages of the documentation as a reader would, where the only machines there are are this one
under other names.

    unshare -rnm python page_run.py < PAGES

Reads JSON from standard input and writes JSON: see `Page` and `Told`. Pages are run a few at once, each in a folder of
its own, the blocks of a page one after the other. What does not end by itself runs until the block is over, and is then
interrupted.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypedDict

import own_network

AT_ONCE = 3
BEGIN_S, END_S = 60.0, 60.0
INTERRUPTED = 128 + signal.SIGINT


class Line(TypedDict):
    command: str
    """For Bash."""
    endless: bool
    """Whether it goes on until it is interrupted."""


class Page(TypedDict):
    folder: str
    blocks: list[list[Line]]


class Told(TypedDict):
    command: str
    code: int
    """Exit code; 130 for what was interrupted and ended well. -1: it did not begin, or did not end."""
    output: str


class Running:
    """A command whose output is read as it comes."""

    def __init__(self, line: Line, folder: str) -> None:
        self.line = line
        self._said: list[bytes] = []
        # A session of its own, so that the interrupt reaches every process of a pipe, and this program not.
        command = ["bash", "-c", line["command"]]
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._begun = threading.Event()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self._process.stdout
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._process.stdout, selectors.EVENT_READ)
            while waiting.select() and (more := os.read(self._process.stdout.fileno(), 65536)):
                self._said.append(more)
                self._begun.set()
        self._begun.set()

    def await_beginning(self) -> None:
        """Until it says something, or has ended."""
        self._begun.wait(BEGIN_S)

    def end(self) -> Told:
        """Of one that is endless: interrupt it. Then wait."""
        if self.line["endless"] and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
        try:
            code = self._process.wait(END_S)
            if code == -signal.SIGINT:  # the interrupt found no handler yet or any more: a shell reports 130 for it
                code = INTERRUPTED
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            code = -1
        self._reading.join(END_S)
        return Told(command=self.line["command"], code=code, output=b"".join(self._said).decode("utf-8", "replace"))


def run_page(page: Page) -> list[Told]:
    told: list[Told] = []
    for block in page["blocks"]:
        endless: list[Running] = []
        for line in block:
            running = Running(line, page["folder"])
            if line["endless"]:
                running.await_beginning()
                endless.append(running)
            else:
                told.append(running.end())
        told += [running.end() for running in endless]
    return told


def main() -> None:
    pages: list[Page] = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        own_network.bring_up_loopback()
        own_network.resolve_by_us(Path(folder))
        own_network.NameServer()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            sys.stdout.write(json.dumps(list(pool.map(run_page, pages))))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
