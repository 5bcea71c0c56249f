"""The panel of sliders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from arkit_mapping.channels import CHANNELS_61
from livelink_bridge.preview.editor.character_edit import GROUPS, Adjustments, SliderValues, bounds
from livelink_bridge.preview.editor.state import EditorState
from livelink_bridge.preview.page.timeline import Sliders

Attempt = Callable[[Callable[[], object]], None]


class SliderPanel:
    """The right side of the page."""

    def __init__(self, session: EditorState, attempt: Attempt) -> None:
        self._session, self._attempt = session, attempt
        with ui.element("div").classes("side-top"):
            self._what = ui.label().classes("what")
            reset = ui.button("Reset all", on_click=lambda: self._attempt(self._reset_all), color=None)
            reset.props("flat dense no-caps size=sm id=reset-all")
        with ui.element("div").classes("side-scroll"):
            groups = [[name, list(channels)] for name, channels in GROUPS.items()]
            self._sliders = Sliders(groups=groups, values={}, soloed=[], mutes=[])
        self._sliders.on("change", self._moved)
        self._sliders.on("solo", lambda event: self._look(event, "solo"))
        self._sliders.on("mute", lambda event: self._look(event, "muted"))
        self._sliders.on("reset", lambda event: self._attempt(lambda: self._change(self._now.reset(_what(event)))))

    def refresh(self) -> None:
        """Update the sliders and the count of changed channels."""
        now = self._now
        values = standing(now)
        self._sliders.show(values=values, soloed=sorted(now.solo), mutes=sorted(now.muted))
        changed = f"{len(values)} of {len(CHANNELS_61)} channels changed" if values else "as predicted"
        looked = f", solo of {len(now.solo)}" if now.solo else f", {len(now.muted)} muted" if now.muted else ""
        self._what.set_text(f"Character: {changed}{looked}")

    @property
    def _now(self) -> Adjustments:
        return self._session.adjustments

    def _change(self, adjusted: Adjustments, drag: str | None = None) -> None:
        self._session.change(adjusted, drag)

    def _moved(self, event: GenericEventArguments) -> None:
        what, field, value = _what(event), str(event.args["field"]), float(event.args["value"])
        changes: Any = {field: value}
        self._attempt(lambda: self._change(self._now.with_(what, **changes), drag=f"{what} {field}"))
        if event.args["final"]:
            self._session.history.settle()

    def _look(self, event: GenericEventArguments, which: str) -> None:
        """Solo or mute a channel or a group, or no longer."""
        what = _what(event)
        names = set(GROUPS.get(what, (what,)))
        before: frozenset[str] = getattr(self._now, which)
        after = before - names if names <= before else before | names
        self._attempt(
            lambda: self._change(self._now.with_solo(*after) if which == "solo" else self._now.with_muted(*after))
        )

    def _reset_all(self) -> None:
        self._change(Adjustments())


def standing(adjusted: Adjustments) -> dict[str, dict[str, float]]:
    """Where the sliders of the channels stand that are not as predicted."""
    places = {name: _place(name, adjusted.slider_values(name)) for name in CHANNELS_61}
    return {name: place for name, place in places.items() if place}


def _place(name: str, knobs: SliderValues) -> dict[str, float]:
    lowest, highest = bounds(name)
    curve = float(knobs.curve) if isinstance(knobs.curve, int | float) else 1.0
    place = {
        "gain": (knobs.gain, 1.0),
        "offset": (knobs.offset, 0.0),
        "lowest": (knobs.lowest, lowest),
        "highest": (knobs.highest, highest),
        "curve": (curve, 1.0),
        "smoothness": (knobs.smoothness, 0.0),
    }
    return {field: value for field, (value, rest) in place.items() if value != rest}


def _what(event: GenericEventArguments) -> str:
    return str(event.args.get("channel") or event.args["group"])
