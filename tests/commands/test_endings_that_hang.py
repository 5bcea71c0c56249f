"""The program ends when its work is done, whatever hangs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HANGING = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from livelink_bridge import cli

def run(arguments, *, debug):
    pool, begun = ThreadPoolExecutor(1, thread_name_prefix="voice"), threading.Event()
    pool.submit(lambda: (begun.set(), {what}))
    begun.wait()
    print("done")
    return 3

cli.run, cli.END_S = run, {end_s}
cli.main()
"""


def ended(tmp_path: Path, what: str, end_s: float) -> subprocess.CompletedProcess[str]:
    program = tmp_path / "program.py"
    program.write_text(HANGING.format(what=what, end_s=end_s))
    return subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=30, check=False)


def test_a_thread_of_a_pool_that_hangs_does_not_keep_the_program(tmp_path: Path) -> None:
    done = ended(tmp_path, "threading.Event().wait()", 0.3)
    assert (done.returncode, done.stdout) == (3, "done\n")
    assert "thread voice_0 did not end within 0.3 s" in done.stderr


def test_a_program_whose_threads_end_says_nothing(tmp_path: Path) -> None:
    done = ended(tmp_path, "None", 20.0)
    assert (done.returncode, done.stdout, done.stderr) == (3, "done\n", "")
