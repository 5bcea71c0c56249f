"""Single keys from a terminal, without Enter and without echo. Ctrl-C stays Ctrl-C."""

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
"""Windows does not report keys by itself: its console is polled this often."""


@contextmanager
def keys_read(on_key: OnKey, descriptor: int | None = None) -> Iterator[None]:
    """Call `on_key` with each key while the block lasts, then restore the terminal.

    Parameters
    ----------
    on_key : called on a thread of its own
    descriptor : of the terminal; None is standard input. Ignored on Windows, where the console is read.
    """
    if sys.platform == "win32":
        with _windows(on_key):
            yield
        return
    with _unbuffered(sys.stdin.fileno() if descriptor is None else descriptor) as terminal:
        threading.Thread(target=_read, args=(terminal, on_key), name="keyboard", daemon=True).start()
        yield


def _read(terminal: int, on_key: OnKey) -> None:
    """Read keys until the terminal is closed, on a daemon thread, which does not delay the program's end."""
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
        """Make a terminal send each key at once.

        In the background, reading it and setting it would both stop the whole program. So it is left alone there, and
        set again when the program returns to the foreground.
        """
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
    """Poll the console for keys: a blocking read there cannot be cancelled."""
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
