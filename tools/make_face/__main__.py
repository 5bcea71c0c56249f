"""Makes the face: `PYTHONPATH=tools:models python -m make_face livelink_bridge/preview/face.glb`.

Needs pygltflib. The same code makes the same file; metres, y up, the face towards z, the character's left at x > 0.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from make_face.glb import encoded
from make_face.whole import build


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT.glb", help="file to write")
    out: Path = parser.parse_args().out
    out.parent.mkdir(parents=True, exist_ok=True)
    data = encoded(build())
    out.write_bytes(data)
    sys.stdout.write(f"{len(data)} bytes: {out}\n")


if __name__ == "__main__":
    main()
