import subprocess
import sys

import pytest

SESSION = """
import logging, os, sys
from livelink_bridge.devices import quiet_stderr
logging.basicConfig(format="%(message)s", level=logging.{level})
with quiet_stderr.suppress_native_stderr():
    os.write(2, b"noise of a library\\n")
    logging.warning("a warning")
    print("a message", file=sys.stderr)
os.write(2, b"afterwards\\n")
logging.warning("and again")
"""


def said(level: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SESSION.format(level=level)], capture_output=True, text=True, timeout=30, check=True
    )
    return done.stderr.splitlines()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's sound libraries write to standard error")
def test_only_what_python_says_is_seen_while_it_is_hidden():
    assert said("WARNING") == ["a warning", "a message", "afterwards", "and again"]


def test_when_debugging_everything_is_seen():
    assert "noise of a library" in said("INFO")
