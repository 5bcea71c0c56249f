"""Build the documentation site into build/site. mkdocs' warnings are errors: dead links, missing headings, pages not
in nav.

python scripts/make_docs.py            builds it; open build/site/index.html (the search needs a server)
python scripts/make_docs.py --serve    rebuilds it at every change, at http://127.0.0.1:8000

Needs the extra `docs`: pip install -c constraints.txt -e '.[docs]'
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: list[str]) -> int:
    """Build or serve the site. Returns the exit code."""
    if arguments not in ([], ["--serve"]):
        print(f"usage: python scripts/make_docs.py [--serve]; got {' '.join(arguments)}", file=sys.stderr)
        return 2
    if find_spec("material") is None:
        print("mkdocs-material is not installed: pip install -c constraints.txt -e '.[docs]'", file=sys.stderr)
        return 1
    for script in ("scripts/make_command_docs.py", "scripts/make_settings_docs.py"):
        drift = subprocess.run([sys.executable, script, "--check"], cwd=ROOT, check=False)
        if drift.returncode:
            return drift.returncode
    verb = ["serve", "--dev-addr", "127.0.0.1:8000"] if arguments else ["build", "--clean"]
    # Without it the theme prints an advertisement for its successor in every build.
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", *verb, "--strict", "--quiet"], cwd=ROOT, env=environment, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
