"""The overlay that tells the keys."""

from __future__ import annotations

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
    "Drop a sound, a take, a face (.glb) or a character (.yaml) anywhere."
)


def help_dialog() -> ui.dialog:
    with ui.dialog() as dialog, ui.card().style("min-width: 520px; gap: 14px"):
        ui.label("Keys").style("font-size: 17px; font-weight: 600")
        with ui.element("div").classes("keys"):
            for key, does in KEYS:
                with ui.element("kbd"):
                    ui.label(key)
                ui.label(does)
        ui.label(MOUSE).style("color: var(--soft); font-size: 13px")
    return dialog
