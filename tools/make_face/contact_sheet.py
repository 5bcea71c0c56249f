"""Pictures of the face on a grid: `PYTHONPATH=tools:models python -m make_face.contact_sheet targets|visemes|FILE.json
OUT.jpg`.

Drawn by a headless Chromium with its software renderer and the three.js that NiceGUI carries. FILE.json is a list of
cells, `{"name": ..., "weights": {"jawOpen": 0.5}, "view": "face", "turn": 0}`. Needs Chromium, nicegui and, for the
visemes, Pillow.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from arkit_mapping.channels import ARKIT_52, MOUTH_32
from livelink_bridge.errors import BridgeError

HERE = Path(__file__).parent
FACE, PAGE = HERE.parents[1] / "livelink_bridge" / "preview" / "face.glb", HERE / "contact_sheet.html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
)
PATIENCE_S = 240.0
MAX_BYTES = 20_000_000
"""Of a picture the page may send back."""
SHOWN_TURNED: dict[str, float] = {
    "jawForward": 0.75, "mouthPucker": 0.6, "mouthFunnel": 0.6, "cheekPuff": 0.5, "tongueOut": 0.6,
    "mouthShrugLower": 0.6, "mouthShrugUpper": 0.6,
}  # fmt: skip
"""What moves towards the viewer is seen better from the side, radians."""
VISEMES: dict[str, str] = {
    "SIL": "silence", "AA": "ah  father", "AE": "a  cat", "EH": "e  bed", "IY": "ee  see", "AO": "aw  law", "OW": "oh "
                                                                                                                  " go",
    "UW": "oo  food", "PB": "p b  pie", "FV": "f v  fine", "TH": "th  thin", "S": "s  see", "SH": "sh  she",
    "L": "l  low", "R": "r  red", "W": "w  we",
}  # fmt: skip
TONGUE = {"TH": 0.4, "L": 0.2}
"""What models/speech_to_face/streaming/tongue.py shows of it; the speech networks leave it out."""

Cell = dict[str, Any]


def targets() -> list[Cell]:
    """Rest, all 52 at full weight, and the lips closed over an open jaw."""
    cells: list[Cell] = [{"name": "at rest", "weights": {}, "view": "head"}]
    for name in ARKIT_52:
        weights = {name: 1.0, "jawOpen": 1.0} if name == "mouthClose" else {name: 1.0}
        title = " + ".join(weights)
        cells.append({"name": title, "weights": weights, "turn": SHOWN_TURNED.get(name, 0.0), "view": "head"})
    return cells


def visemes() -> list[Cell]:
    """The mouth in the middle of a sound that lasts, as the speech networks are taught it."""
    from speech_to_face_lab.corpus.sheet import middle

    cells: list[Cell] = []
    for name, words in VISEMES.items():
        weights = {channel: round(float(value), 4) for channel, value in zip(MOUTH_32, middle(name), strict=True)}
        cells.append({"name": words, "weights": weights | {"tongueOut": TONGUE.get(name, 0.0)}, "view": "mouth"})
    return cells


def render(cells: list[Cell], *, columns: int, pixels: int, form: str = "image/jpeg", face: Path = FACE) -> bytes:
    """A picture (JPEG or PNG) with `columns` cells a row, each `pixels` wide. BridgeError where there is no browser or
    it fails."""
    answers: Queue[tuple[str, bytes]] = Queue(1)
    order = json.dumps({"cells": cells, "columns": columns, "pixels": pixels, "form": form}).encode()
    files = {"/": (PAGE.read_bytes(), "text/html"), "/three.js": (three(), "text/javascript")}
    files |= {"/face.glb": (face.read_bytes(), "model/gltf-binary"), "/order": (order, "application/json")}
    server = ThreadingHTTPServer(("127.0.0.1", 0), desk(files, answers))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        return visited(f"http://127.0.0.1:{server.server_port}/", answers)
    finally:
        server.shutdown()
        server.server_close()


def visited(address: str, answers: Queue[tuple[str, bytes]]) -> bytes:
    """Open the page and wait for what it sends back."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [browser(), *FLAGS, *as_root(), f"--user-data-dir={profile}", address]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            try:
                kind, body = answers.get(timeout=PATIENCE_S)
            except Empty:
                raise BridgeError(f"the browser drew nothing within {PATIENCE_S:.0f} s; is WebGL allowed?") from None
            finally:
                running.terminate()
    if kind != "/picture":
        raise BridgeError(f"the page could not draw the face: {body.decode(errors='replace')[:300]}")
    return body


def desk(files: dict[str, tuple[bytes, str]], answers: Queue[tuple[str, bytes]]) -> type[BaseHTTPRequestHandler]:
    """Hands out these files and takes one answer: a picture, or why there is none."""

    class Desk(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, kind = files.get(self.path, (b"", ""))
            self.send_response(200 if kind else 404)
            self.send_header("Content-Type", kind or "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), MAX_BYTES))
            self.send_response(204)
            self.end_headers()
            if answers.empty():
                answers.put((self.path, body))

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is said about each file."""

    return Desk


def browser() -> str:
    """Path of the browser's program. Raises BridgeError where none is installed."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise BridgeError(f"no browser to draw with: none of {', '.join(BROWSERS)} is installed")
    return found


def as_root() -> tuple[str, ...]:
    """Options for root, the user of most containers, for whom Chromium refuses to start its sandbox."""
    return ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()


def three() -> bytes:
    """three.js with its glTF loader, as NiceGUI carries it."""
    spec = importlib.util.find_spec("nicegui")
    if spec is None or spec.origin is None:
        raise BridgeError("nicegui is not installed, and with it three.js: pip install nicegui")
    return (Path(spec.origin).parent / "elements/scene/dist/index.js").read_bytes()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cells", help="targets, visemes, or a JSON file of cells")
    parser.add_argument("out", type=Path, help="picture to write, .jpg or .png")
    parser.add_argument("--columns", type=int, default=0, help="cells a row (9 for the targets, 4 for the rest)")
    parser.add_argument("--pixels", type=int, default=0, help="width of a cell (170 for the targets, 256 for the rest)")
    chosen = parser.parse_args()
    known = {"targets": targets, "visemes": visemes}
    cells = (
        known[chosen.cells]() if chosen.cells in known else json.loads(Path(chosen.cells).read_text(encoding="utf-8"))
    )
    wide, pixels = (9, 170) if chosen.cells == "targets" else (4, 256)
    form = "image/png" if chosen.out.suffix == ".png" else "image/jpeg"
    picture = render(cells, columns=chosen.columns or wide, pixels=chosen.pixels or pixels, form=form)
    chosen.out.write_bytes(picture)
    sys.stdout.write(f"{len(cells)} cells, {len(picture)} bytes: {chosen.out}\n")


if __name__ == "__main__":
    main()
