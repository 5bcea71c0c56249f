"""Lists the UDP sockets of this machine, with the programs that hold them, by psutil."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil

UNREADABLE = (psutil.Error, OSError, RuntimeError)
"""Exceptions of psutil when the system denies access (macOS without administrator rights) or its table is damaged."""


@dataclass(frozen=True, slots=True)
class UdpSocket:
    """An open UDP socket of this machine."""

    own: tuple[str, int]
    """Address and port it is bound to; 0.0.0.0 or :: mean all addresses."""
    other: tuple[str, int] | None
    """Address and port it is connected to; None when it is not connected."""
    program: str | None
    """Name of the program that holds it; None when unknown."""
    pid: int | None
    """Process id of that program; None when unknown."""

    def __str__(self) -> str:
        return "a program of another user" if self.program is None else f"{self.program} (process {self.pid})"


def udp_sockets() -> list[UdpSocket] | None:
    """All UDP sockets; None when the system does not list them for this user."""
    try:
        return list(_sockets())
    except UNREADABLE:
        return None


def how_to_see(port: int, platform: str) -> str:
    """Command by which the user finds the holder of a port.

    Parameters
    ----------
    port : UDP port
    platform : as `sys.platform`
    """
    if platform == "win32":
        return f"run `Get-Process -Id (Get-NetUDPEndpoint -LocalPort {port}).OwningProcess` in PowerShell"
    return f"run `sudo lsof -nP -iUDP:{port}`"


def _sockets() -> Iterator[UdpSocket]:
    for found in psutil.net_connections("udp"):
        if found.laddr:
            program = _name(found.pid) if found.pid else None
            yield UdpSocket(_pair(found.laddr), _pair(found.raddr) if found.raddr else None, program, found.pid)


def _pair(address: Any) -> tuple[str, int]:
    return str(address[0]), int(address[1])


def _name(pid: int) -> str | None:
    """Name of a program, for Python with the script that it runs; None when it is not accessible."""
    try:
        process = psutil.Process(pid)
        words = process.cmdline() or [process.name()]
    except UNREADABLE:
        return None
    name = os.path.basename(words[0].replace("\\", "/")) or "?"
    if name.startswith("python"):
        name = " ".join([name, *(os.path.basename(word) for word in words[1:4] if word and not word.startswith("-"))])
    return name
