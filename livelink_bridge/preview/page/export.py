"""The export menu: saves the character, downloads takes, animated faces and videos."""

from __future__ import annotations

from pathlib import Path

from nicegui import ui

from livelink_bridge.preview.film.film import LARGEST, RATES, SIZES, SMALLEST, Film
from livelink_bridge.preview.film.video import ffmpeg
from livelink_bridge.preview.page.actions import PageActions

OWN_SIZE = "own size"
KINDS = (
    (".csv", "Take for Unreal (.csv)"),
    (".glb", "Animated face (.glb)"),
    (".json", "Poses (.json)"),
    (".npz", "Poses (.npz)"),
)


def export_menu(page: PageActions) -> None:
    """The button with what can be written."""
    video = video_dialog(page)
    with ui.button(icon="ios_share", color=None).props('flat round dense id="export" aria-label="Export"'):
        ui.tooltip("Export")
        with ui.menu():
            for ending, word in KINDS:
                ui.menu_item(word, lambda ending=ending: page.export(ending)).props(f'id="export-{ending[1:]}"')
            ui.menu_item("Video with audio (.mp4) ...", lambda: page.attempt(lambda: _open_with_ffmpeg(video))).props(
                'id="export-mp4"'
            )
            ui.separator()
            ui.menu_item("Blind comparison of A and B ...", lambda: ui.navigate.to("/compare", new_tab=True)).props(
                'id="export-blind"'
            )


def video_dialog(page: PageActions) -> ui.dialog:
    """Asks for a video's size and rate."""
    film = Film()
    with ui.dialog() as dialog, ui.card().style("min-width: 420px"):
        ui.label("Video with audio").style("font-size: 17px; font-weight: 600")
        size = ui.toggle([*SIZES, OWN_SIZE], value=next(iter(SIZES))).props(
            "no-caps unelevated toggle-color=primary id=video-size"
        )
        own = (
            ui.input("Width x height", value=f"{film.width}x{film.height}")
            .props("for=video-own-size")
            .style("width: 100%")
        )
        own.bind_visibility_from(size, "value", value=OWN_SIZE)
        rates = {rate: f"{rate}" for rate in RATES}
        ui.label("Frames a second").style("color: var(--soft); font-size: 13px")
        rate = ui.toggle(rates, value=film.rate).props("no-caps unelevated toggle-color=primary id=video-rate")
        bounds = (
            f"A at the page's camera, as long as its audio. Width and height: even numbers from {SMALLEST} to "
            f"{LARGEST}."
        )
        ui.label(bounds).style("color: var(--soft); font-size: 13px")
        with ui.row().style("width: 100%; justify-content: flex-end; gap: 8px"):
            ui.button("Cancel", on_click=dialog.close, color=None).props("flat no-caps")
            ui.button("Render", on_click=lambda: render()).props("no-caps id=video-now")

    async def render() -> None:
        dialog.close()
        await page.begin_video(own.value if size.value == OWN_SIZE else size.value, rate.value)

    return dialog


def _open_with_ffmpeg(dialog: ui.dialog) -> None:
    """Raises BridgeError that says how to get ffmpeg where it is not."""
    ffmpeg()
    dialog.open()


def save_dialog(page: PageActions) -> ui.dialog:
    """Asks for the character file's name."""
    session = page.session
    with ui.dialog() as dialog, ui.card().style("min-width: 420px"):
        ui.label("Save the character").style("font-size: 17px; font-weight: 600")
        own = session.character_path.name if session.character_path else "character.yaml"
        name = ui.input("File name", value=own).props("autofocus for=save-name").style("width: 100%")
        over = ui.checkbox("Replace a file of that name").props("id=save-over dense")
        where = f"In {Path.cwd()}, unless it is the file that was opened. Apply it with --character."
        ui.label(where).style("color: var(--soft); font-size: 13px")
        with ui.row().style("width: 100%; justify-content: flex-end; gap: 8px"):
            ui.button("Cancel", on_click=dialog.close, color=None).props("flat no-caps")
            ui.button("Save", on_click=lambda: save()).props("no-caps id=save-now")

    def save() -> None:
        page.attempt(lambda: _saved(page, name.value, over.value))
        dialog.close()

    name.on("keydown.enter", save)
    return dialog


def _saved(page: PageActions, name: str, over: bool) -> None:
    path = page.session.save(name, replace_it=over)
    page.say(f"Saved as {path}.", "positive")
