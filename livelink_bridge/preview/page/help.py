"""The help overlay with the key bindings."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

KEYS = (
    ("Space", "play and pause"),
    ("← →", "one frame back or on; with Shift ten"),
    ("Home, End", "to the start, to the end"),
    ("L", "loop; drag on the timeline with Shift to loop a part"),
    ("B", "A or B: what the sliders make, or what it is compared with"),
    ("+  −  0", "zoom in, out, show all; the wheel zooms, with Shift it moves along"),
    ("U, Ctrl Z", "undo"),
    ("Shift U, Ctrl Shift Z", "redo"),
    ("S", "save the character"),
    ("?", "this list"),
)
MOUSE = (
    "Drag the face to turn it, the wheel moves nearer, a double click looks straight again. "
    "Drop an audio file, a take, a face (.glb, .vrm) or a character (.yaml) anywhere."
)

LIVE_KEYS = (
    ("R", "record a take, and end it"),
    ("M", "mute the microphone, in takes too"),
    ("N", "ease the face to neutral, and back"),
    ("C", "calibrate: two seconds of room, two of voice"),
    ("0 to 9", "the mood of that number"),
    ("Page up, Page down", "another performer, where there are several"),
    ("U, Shift U", "undo, redo a slider"),
    ("S", "save the character"),
    ("?", "this list"),
)
LIVE_MOUSE = (
    "Drag the face to turn it, the wheel moves nearer, a double click looks straight again. "
    "Drop a face (.glb, .vrm) or a character (.yaml) anywhere."
)


def help_dialog(keys: Sequence[tuple[str, str]] = KEYS, mouse: str = MOUSE) -> ui.dialog:
    """A closed dialog that lists key bindings, each (key, what it does), and the use of the mouse."""
    with ui.dialog() as dialog, ui.card().style("min-width: 520px; gap: 14px"):
        ui.label("Keys").style("font-size: 17px; font-weight: 600")
        with ui.element("div").classes("keys"):
            for key, does in keys:
                with ui.element("kbd"):
                    ui.label(key)
                ui.label(does)
        ui.label(mouse).style("color: var(--soft); font-size: 13px")
    return dialog
