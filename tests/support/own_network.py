"""Runs a command where the only network is loopback and the only name server is this program's; prints what names were
asked for, as JSON.

    unshare -rnm python own_network.py SECONDS COMMAND...

Started in namespaces of its own (`unshare -rnm`): network, mounts and user. Of a command that serves a page the page is
fetched once. The command is interrupted after SECONDS unless it has ended by then; `preview` SECONDS after its page was
fetched.
"""

from __future__ import annotations

import fcntl
import json
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path
from typing import IO

KNOWN = ("face.test", "stage-2.local")
"""Names that have an address here, 127.0.0.1; the second is of the documentation."""
OTHERS = ("192.168.1.20", "192.168.1.30", "10.0.0.7")
"""Addresses of other machines in the documentation; here they are this one's too."""
START_S, END_S = 60.0, 20.0
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, IFF_UP = 0x8913, 0x8914, 0x8916, 0x1
RECURSIVE, NO_SUCH_NAME = 0x8180, 0x8183


def bring_up_loopback() -> None:
    """With 127.0.0.1 and OTHERS."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack_from("H", fcntl.ioctl(any_socket, SIOCGIFFLAGS, asked), 16)[0]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))
        for number, address in enumerate(OTHERS):
            alias = struct.pack("16sHH4s8x", f"lo:{number}".encode(), socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(any_socket, SIOCSIFADDR, alias)


def resolve_by_us(folder: Path) -> None:
    """Lay files of ours over those that say how names are resolved, in this mount namespace alone."""
    for path, text in (("/etc/resolv.conf", "nameserver 127.0.0.1\n"), ("/etc/nsswitch.conf", "hosts: files dns\n")):
        if Path(path).exists():
            ours = folder / Path(path).name
            ours.write_text(text)
            subprocess.run(["mount", "--bind", str(ours), str(Path(path).resolve())], check=True)


class NameServer:
    """Answers on 127.0.0.1, port 53, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            question, asking = self._socket.recvfrom(2000)
            name, end = _name(question, 12)
            self.asked.add(name)
            self._socket.sendto(_answer(question, name, end), asking)


def _name(question: bytes, at: int) -> tuple[str, int]:
    """The dotted name that begins there, in lower case, and where it ends."""
    labels = []
    while length := question[at]:
        labels.append(question[at + 1 : at + 1 + length].decode("ascii", "replace").lower())
        at += 1 + length
    return ".".join(labels), at + 1


def _answer(question: bytes, name: str, end: int) -> bytes:
    of_an_address = question[end : end + 4] == struct.pack(">2H", 1, 1)
    answers = int(name in KNOWN and of_an_address)
    head = question[:2] + struct.pack(">5H", RECURSIVE if name in KNOWN else NO_SUCH_NAME, 1, answers, 0, 0)
    body = question[12 : end + 4]
    return head + body + (struct.pack(">3HIH4B", 0xC00C, 1, 1, 60, 4, 127, 0, 0, 1) if answers else b"")


def run(command: list[str], seconds: float) -> tuple[int, str]:
    """Exit code and output."""
    fetched = threading.Event()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        lines: list[str] = []
        reading = threading.Thread(target=_read, args=(process.stdout, lines, fetched), daemon=True)
        reading.start()
        if "preview" in command:
            fetched.wait(START_S)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            process.wait(END_S)
        reading.join(END_S)
    return process.returncode, "".join(lines)


def _read(output: IO[str], lines: list[str], fetched: threading.Event) -> None:
    """Keep every line, and fetch the page that one tells of."""
    for line in output:
        lines.append(line)
        if page := re.search(r"http://127\.0\.0\.1:\d+/", line):
            with urllib.request.urlopen(page[0], timeout=END_S) as answer:
                lines.append(f"[the page has {len(answer.read())} bytes]\n")
            fetched.set()
    fetched.set()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        bring_up_loopback()
        resolve_by_us(Path(folder))
        server = NameServer()
        code, output = run(sys.argv[2:], float(sys.argv[1]))
        sys.stdout.write(json.dumps({"asked": sorted(server.asked), "code": code, "output": output}))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
