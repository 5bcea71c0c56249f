"""Build the site of the documentation into build/site. Every warning of mkdocs is an error: dead links, lost headings,
forgotten pages.

python scripts/make_docs.py            builds it; open build/site/index.html (its search wants a server)
python scripts/make_docs.py --serve    builds it again with every change, at http://127.0.0.1:8000

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
    # The theme otherwise prints an advertisement for its successor into every build.
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", *verb, "--strict", "--quiet"], cwd=ROOT, env=environment, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
