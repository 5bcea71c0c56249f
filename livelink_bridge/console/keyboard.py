"""Keys as they are pressed, from a terminal that neither waits for Enter nor echoes them. Ctrl-C stays Ctrl-C."""

from __future__ import annotations

import codecs
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from livelink_bridge.console.input_line import split_keys

OnKey = Callable[[str], None]
_POLL_S = 0.05
"""Windows tells of no key by itself: its console is asked this often."""


@contextmanager
def keys_read(on_key: OnKey, descriptor: int | None = None) -> Iterator[None]:
    """Call `on_key` with each key, on a thread of its own, while the block lasts. The terminal is as it was after it,
    however it ends.

    descriptor : of the terminal; standard input's. Ignored on Windows, where the console is read.
    """
    if sys.platform == "win32":
        with _windows(on_key):
            yield
        return
    with _unbuffered(sys.stdin.fileno() if descriptor is None else descriptor) as terminal:
        threading.Thread(target=_read, args=(terminal, on_key), name="keyboard", daemon=True).start()
        yield


def _read(terminal: int, on_key: OnKey) -> None:
    """Ends with the terminal. A reader that waits when the program ends is a daemon and holds nothing up."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    while True:
        try:
            sent = os.read(terminal, 1024)
        except OSError:
            return
        if not sent:
            return
        for key in split_keys(decode(sent)):
            on_key(key)


if sys.platform != "win32":
    import termios
    import tty

    @contextmanager
    def _unbuffered(terminal: int) -> Iterator[int]:
        """A terminal that sends each key. In the background both reading and setting would stop the whole program: it
        is left alone there, and set again when the program comes back to the foreground."""
        before = termios.tcgetattr(terminal)
        handlers = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTTIN, signal.SIGTTOU)}
        handlers[signal.SIGCONT] = signal.signal(signal.SIGCONT, lambda *_: _set(terminal))
        try:
            _set(terminal)
            yield terminal
        finally:
            if _in_front(terminal):
                termios.tcsetattr(terminal, termios.TCSADRAIN, before)
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _set(terminal: int) -> None:
        if _in_front(terminal):
            tty.setcbreak(terminal, termios.TCSADRAIN)

    def _in_front(terminal: int) -> bool:
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp()
        except OSError:  # not this process's controlling terminal: nothing is stopped for using it
            return True


@contextmanager
def _windows(on_key: OnKey) -> Iterator[None]:
    """Reads the console by polling: a read that waits there cannot be ended."""
    import msvcrt

    console: Any = msvcrt
    over = threading.Event()

    def read() -> None:
        while not over.wait(_POLL_S):
            while console.kbhit():
                key = console.getwch()
                if key in ("\x00", "\xe0"):  # an arrow or function key, which sends a second code
                    console.getwch()
                else:
                    on_key(key)

    threading.Thread(target=read, name="keyboard", daemon=True).start()
    try:
        yield
    finally:
        over.set()
