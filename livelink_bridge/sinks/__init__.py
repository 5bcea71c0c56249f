"""Sinks send face frames to receivers. `open_sink(uri)` opens one; a new protocol is a file here and a line in the
table."""

from __future__ import annotations

from collections.abc import Callable

from livelink_bridge.errors import UsageError
from livelink_bridge.sinks.base import Sink
from livelink_bridge.sinks.ifacialmocap import IFacialMocapSink
from livelink_bridge.sinks.livelink import LiveLinkSink
from livelink_bridge.sinks.osc import OscSink
from livelink_bridge.sinks.preview import PreviewSink
from livelink_bridge.sinks.take import TakeSink
from livelink_bridge.sinks.vmc import VmcSink

__all__ = ["Sink", "open_sink"]

SCHEMES: dict[str, Callable[[str, str, str], Sink]] = {
    "livelink": lambda uri, subject, device_id: LiveLinkSink(uri, subject=subject, device_id=device_id),
    "osc": lambda uri, _subject, _device_id: OscSink(uri),
    "vmc": lambda uri, _subject, _device_id: VmcSink(uri),
    "ifacialmocap": lambda uri, _subject, _device_id: IFacialMocapSink(uri),
    "preview": lambda uri, subject, _device_id: PreviewSink(uri, subject=subject),
    "take": lambda uri, subject, _device_id: TakeSink(uri, subject=subject),
}

EXPECTED = "livelink://HOST:PORT, osc://HOST:PORT, vmc://HOST:39539, ifacialmocap://HOST:49983, preview: or take:FOLDER"


def open_sink(uri: str, *, subject: str, device_id: str) -> Sink:
    """Open the sink of a URI.

    Parameters
    ----------
    uri : one of `EXPECTED`; UDP receivers take options after a question mark, see docs/wires-*.md
    subject : name of the Live Link subject
    device_id : its UUID

    Raises
    ------
    UsageError : malformed URI or options
    SinkError : unknown host, or a folder that cannot be written to
    """
    scheme, colon, _ = uri.partition(":")
    if not colon or scheme not in SCHEMES:
        raise UsageError(f"unknown receiver {uri!r}; expected {EXPECTED}")
    return SCHEMES[scheme](uri, subject, device_id)
