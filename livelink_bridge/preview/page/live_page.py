"""The page of a live session: the face as it is sent, and the buttons of the session. No file is played here."""

from __future__ import annotations

from typing import Any

from nicegui import run, ui

from livelink_bridge.errors import UsageError
from livelink_bridge.preview.editor.live_controls import LiveControls
from livelink_bridge.preview.editor.state import FACE_ENDINGS, EditorState
from livelink_bridge.preview.page.face_view import FaceView
from livelink_bridge.preview.page.help import LIVE_KEYS, LIVE_MOUSE, help_dialog
from livelink_bridge.preview.page.messages import sentence
from livelink_bridge.preview.page.page import EXPECTED, PRELOAD, THEME, Page, icon
from livelink_bridge.preview.page.sliders import SliderPanel
from livelink_bridge.preview.page.timeline import LiveLink, LivePanel
from livelink_bridge.preview.server.uploads import LARGEST

OWN_CHARACTERS = "Each performer has a character of its own here: change it in its file."
METER_S, STATE_S = 0.1, 0.25
"""How often the level, and everything else, is sent to the browser."""


def build(session: EditorState, show: LiveControls) -> None:
    """Put the live page together for one browser tab."""
    ui.add_css(THEME)
    ui.add_head_html(PRELOAD)
    LivePage(session, show).build()


class LivePage(Page):
    """One tab's view of a live session."""

    def __init__(self, session: EditorState, show: LiveControls) -> None:
        super().__init__(session)
        self._show, self._performer = show, 0

    def build(self) -> None:
        """Create the elements of the page."""
        dark = ui.dark_mode(True)
        with ui.element("div").classes("page live" if self._show.sliders else "page live alone"):
            self._top(dark)
            with ui.element("div").classes("area-face"):
                self._face_area()
            if self._show.sliders:
                with ui.element("div").classes("area-side"):
                    self._parts.append(SliderPanel(self.session, self.attempt).refresh)
            with ui.element("div").classes("area-live"):
                self._panel = LivePanel(state=self._show.state(0), performer=0)
        self._panel.on("act", lambda event: self._act(event.args))
        self._panel.on("choose", lambda event: self._choose(event.args))
        self._panel.on("key", lambda event: self._key(event.args))
        self._live_link = LiveLink(session=self._show.number, performer=0, largest=max(LARGEST.values()))
        self._live_link.on("dropped", lambda event: self._open(event.args["file"], event.args["as"]))
        self._live_link.on("trouble", lambda event: self.say(event.args))
        ui.timer(METER_S, self._meter)
        ui.timer(STATE_S, self._look)
        self._follow()

    def refresh(self) -> None:
        """Update face, panel, sliders and notes from the session."""
        self._face.show(self._face_file())
        self._look()
        for part in self._parts:
            part()
        self._notes()

    def _face_area(self) -> None:
        self._face = FaceView(self._face_file())
        self._face.on("trouble", lambda event: self.say(event.args))
        back = ui.button("Back to the built-in face", on_click=self.session.use_built_in_face, color=None)
        back.props("flat dense no-caps id=built-in").classes("face-back")
        self._parts.append(lambda: back.set_visibility(self.session.face is not None))

    def _top(self, dark: ui.dark_mode) -> None:
        with ui.element("div").classes("top"):
            ui.label("live").classes("title")
            icon("folder_open", "Open a face or a character", "open").on(
                "click", js_handler="() => window.livelinkOpen()"
            )
            if self._show.sliders:
                self._character_buttons()
            else:
                self._save_open = lambda: self.say(OWN_CHARACTERS, "warning")
            ui.element("div").classes("file")
            self._help = help_dialog(LIVE_KEYS, LIVE_MOUSE)
            icon("contrast", "Light or dark", "light", dark.toggle)
            icon("help_outline", "Keys (?)", "help", self._help.open)

    def _look(self) -> None:
        """Show how the session stands."""
        self._panel.show(state=self._show.state(self._performer), performer=self._performer)
        self._live_link.show(session=self._show.number, performer=self._performer)

    def _meter(self) -> None:
        levels = self._show.meter(self._performer)
        if levels and self.client.has_socket_connection:
            self._panel.run_method("meter", levels)

    def _choose(self, performer: object) -> None:
        subjects = self._show.state(0)["subjects"]
        if isinstance(performer, int) and 0 <= performer < len(subjects):
            self._performer = performer
            self._look()

    async def _act(self, asked: dict[str, Any]) -> None:
        """Do what a button asks, off the page's thread: a take begins with its first pose."""
        try:
            said = await run.io_bound(self._show.act, self._performer, str(asked["what"]), asked["value"])
        except EXPECTED as error:
            self.say(sentence(error))
        else:
            if said:
                self.say(said, "positive")
        self.session.tell()

    async def _open(self, file: str, use: str) -> None:
        if file.lower().endswith((".yaml", ".yml")) and not self._show.sliders:
            self.say(OWN_CHARACTERS, "warning")
        elif file.lower().endswith((*FACE_ENDINGS, ".yaml", ".yml")):
            await super()._open(file, use)
        else:
            told = UsageError(
                "this page follows the live session: open audio files and takes with `livelink-bridge preview FILE`"
            )
            self.say(sentence(told), "warning")
