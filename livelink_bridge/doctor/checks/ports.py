"""Who has a UDP port open on this machine, and who sends to it: from Linux's /proc, elsewhere from psutil where it is
installed."""

from __future__ import annotations

import importlib
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livelink_bridge.doctor.checks.machine import Machine

MOST_PROCESSES = 20000
"""Looked through for who has a socket."""
_TABLES = {"proc/net/udp": socket.AF_INET, "proc/net/udp6": socket.AF_INET6}


@dataclass(frozen=True, slots=True)
class UdpSocket:
    """An open UDP socket of this machine."""

    own: tuple[str, int]
    """Address and port it is bound to; 0.0.0.0 or :: are all addresses."""
    other: tuple[str, int] | None
    """Whom it sends to, where it is connected."""
    program: str | None
    """Name of the program that has it; None where the system does not tell."""
    pid: int | None

    def __str__(self) -> str:
        return "a program of another user" if self.program is None else f"{self.program} (process {self.pid})"


def udp_sockets(machine: Machine) -> list[UdpSocket] | None:
    """All of them; None where the system cannot be asked."""
    if machine.platform == "linux":
        return list(_from_proc(machine))
    return _from_psutil()


def how_to_see(port: int, platform: str) -> str:
    """The command that says who has a port, for systems that were not asked."""
    if platform == "win32":
        return f"run `Get-Process -Id (Get-NetUDPEndpoint -LocalPort {port}).OwningProcess` in PowerShell"
    return f"run `sudo lsof -nP -iUDP:{port}`"


def _from_proc(machine: Machine) -> Iterator[UdpSocket]:
    found: list[tuple[tuple[str, int], tuple[str, int] | None, str]] = []
    for table, family in _TABLES.items():
        for line in machine.read(table).splitlines()[1:]:
            cells = line.split()
            if len(cells) < 10:
                continue
            other = _address(cells[2], family)
            found.append((_address(cells[1], family), other if other[1] else None, cells[9]))
    owners = _owners(machine, {inode for _, _, inode in found})
    for own, receiver, inode in found:
        program, pid = owners.get(inode, (None, None))
        yield UdpSocket(own, receiver, program, pid)


def _address(text: str, family: int) -> tuple[str, int]:
    """`0100007F:2B67` -> 127.0.0.1, 11111: hexadecimal, in words of the machine's own byte order."""
    words, port = text.split(":")
    raw = b"".join(struct.pack("=I", int(words[at : at + 8], 16)) for at in range(0, len(words), 8))
    return socket.inet_ntop(family, raw), int(port, 16)


def _owners(machine: Machine, inodes: set[str]) -> dict[str, tuple[str, int]]:
    """By socket: name and id of a process that has it. Those of other users are not told to everybody."""
    owners: dict[str, tuple[str, int]] = {}
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    for pid in _processes(machine):
        for link in _links(machine.root / "proc" / str(pid) / "fd"):
            if link in wanted:
                owners.setdefault(wanted[link], (_name(machine, pid), pid))
    return owners


def _links(folder: Path) -> Iterator[str]:
    """What a process has open, as far as it is told and while it lasts."""
    try:
        entries = list(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        try:
            yield os.readlink(entry)
        except OSError:  # closed since
            continue


def _processes(machine: Machine) -> list[int]:
    try:
        return sorted(int(entry.name) for entry in (machine.root / "proc").iterdir() if entry.name.isdecimal())[
            :MOST_PROCESSES
        ]
    except OSError:
        return []


def _name(machine: Machine, pid: int) -> str:
    """`comm` is cut at 15 characters and says `python`; the command line says what of."""
    words = machine.read(f"proc/{pid}/cmdline").split("\0")
    name = os.path.basename(words[0].replace("\\", "/")) or machine.read(f"proc/{pid}/comm").strip() or "?"
    if name.startswith("python"):
        rest = [os.path.basename(word) for word in words[1:4] if word and not word.startswith("-")]
        name = " ".join([name, *rest])
    return name


def _from_psutil() -> list[UdpSocket] | None:
    try:
        psutil: Any = importlib.import_module("psutil")
    except ImportError:
        return None
    try:
        return [_of_psutil(psutil, found) for found in psutil.net_connections("udp")]
    except (psutil.Error, OSError):  # not allowed without administrator's rights
        return None


def _of_psutil(psutil: Any, found: Any) -> UdpSocket:
    try:
        program = psutil.Process(found.pid).name() if found.pid else None
    except psutil.Error:
        program = None
    return UdpSocket(tuple(found.laddr), tuple(found.raddr) or None, program, found.pid)
