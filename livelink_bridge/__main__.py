"""The program's entry, as `livelink-bridge` and as `python -m livelink_bridge`: what Ctrl-C does before and after the
command line."""

from __future__ import annotations

import os
import signal
import sys

_INTERRUPTED = 130


def main() -> None:
    """The console script. Imports of the command line take a tenth of a second and hold nothing that an interruption
    could lose."""
    try:
        _end_at_once_when_interrupted()
        from livelink_bridge.cli import main as command_line

        _raise_when_interrupted()
        command_line()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    finally:
        _end_at_once_when_interrupted()  # Python's own last steps would show a traceback


def _end_at_once_when_interrupted() -> None:
    """No exception: imports may swallow one, or turn it into another."""
    if (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ):  # a shell starts jobs in the background with it ignored
        signal.signal(signal.SIGINT, _end_at_once)


def _raise_when_interrupted() -> None:
    if signal.getsignal(signal.SIGINT) is _end_at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end_at_once(_number: int, _frame: object) -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError, RuntimeError):
            pass
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
