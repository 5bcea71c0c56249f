"""Elements of the page that the browser draws: viewport, transport, timeline, sliders. Their state is always sent as a
whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nicegui.element import Element

_WEB = str(Path(__file__).parents[1] / "web")


class _Drawn(Element):
    """An element whose properties are set together and sent only when they differ."""

    def __init__(self, **properties: Any) -> None:
        super().__init__()
        self._props.update(properties)

    def show(self, **properties: Any) -> None:
        changed = {name: value for name, value in properties.items() if self._props.get(name) != value}
        if changed:
            self._props.update(changed)
            self.update()


class StageLink(_Drawn, component="stage_link.js", esm={"livelink-preview": _WEB}):
    """Tells the browser which clip and which poses there are; hears of keys and of dropped files."""


class LiveLink(_Drawn, component="live_link.js", esm={"livelink-preview": _WEB}):
    """Tells the browser whose live face to follow; hears of dropped files."""


class LivePanel(_Drawn, component="live_panel.js"):
    """The live session at a glance, and its buttons."""


class Transport(_Drawn, component="transport.js"):
    """Play, scrub, loop, step, speed, A or B."""


class Timeline(_Drawn, component="timeline.js"):
    """Waveform, phones, visemes, closure marks and curves over time."""


class Sliders(_Drawn, component="sliders.js"):
    """Groups of channels with their gains, and the rest of each."""
