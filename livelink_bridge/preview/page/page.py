"""The main page: its layout, and how its parts react to changes. The parts are the modules beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nicegui import ui

from arkit_mapping.character.character import CharacterError
from arkit_mapping.takes.csv import TakeError
from livelink_bridge.errors import BridgeError
from livelink_bridge.preview.editor.state import FACE_ENDINGS, FACE_URL, EditorState
from livelink_bridge.preview.film.film import Film
from livelink_bridge.preview.page.actions import Kind
from livelink_bridge.preview.page.comparison_menu import comparison_menu
from livelink_bridge.preview.page.export import export_menu, save_dialog
from livelink_bridge.preview.page.face_view import FaceView
from livelink_bridge.preview.page.help import help_dialog
from livelink_bridge.preview.page.messages import sentence, without_folder
from livelink_bridge.preview.page.sliders import SliderPanel
from livelink_bridge.preview.page.timeline import StageLink, Timeline, Transport
from livelink_bridge.preview.server.routes import export_url
from livelink_bridge.preview.server.uploads import LARGEST
from speech_to_face.base import ModelError

THEME = Path(__file__).parents[1] / "web" / "theme.css"
PRELOAD = f'<link rel="preload" href="{FACE_URL}" as="fetch" crossorigin="anonymous">'
"""The face is on its way while the scripts are read."""
LOOK_AT_SENDING_S = 0.5
EXPECTED = (BridgeError, CharacterError, TakeError, ModelError)
"""What the user can do something about: each is one sentence."""


def build(session: EditorState) -> None:
    """Put the page together for one browser tab."""
    ui.add_css(THEME)
    ui.add_head_html(PRELOAD)
    Page(session).build()


async def open_first(session: EditorState, path: Path) -> None:
    """Open the file that the command was given; what is wrong with it is said by every tab."""
    try:
        await session.open(path)
    except EXPECTED as error:
        session.tell_trouble(sentence(error))


class Page:
    """One tab's view of the session."""

    def __init__(self, session: EditorState) -> None:
        self.session = session
        self.client = ui.context.client
        self._parts: list[Callable[[], object]] = []
        self._noted: set[str] = set()
        self._troubles_said = 0
        self._gone = False
        self._video: int | None = None
        """The number of the video that this tab renders."""
        self._sent_before = False
        """Whether poses were sent when this tab was brought up to date last."""
        self._failures_said = session.unreal.failures if session.unreal else 0

    def build(self) -> None:
        """Create the elements of the page."""
        dark = ui.dark_mode(True)
        with ui.element("div").classes("page"):
            self._top(dark)
            with ui.element("div").classes("area-face"):
                self._face = FaceView(self._face_file())
                self._face.on("trouble", lambda event: self.say(event.args))
                built_in = self.session.use_built_in_face
                back = ui.button("Back to the built-in face", on_click=lambda: self.attempt(built_in), color=None)
                back.props("flat dense no-caps id=built-in").classes("face-back")
                self._parts.append(lambda: back.set_visibility(self.session.face is not None))
                self._busy()
            with ui.element("div").classes("area-transport"):
                self._transport = Transport(follow=False)
                self._transport.on("moved", lambda event: self._moved(event.args))
            with ui.element("div").classes("area-side"):
                self._parts.append(SliderPanel(self.session, self.attempt).refresh)
            with ui.element("div").classes("area-timeline"):
                Timeline()
        self._link = StageLink(clip=self.session.clip_id, revision=self._revision(), largest=max(LARGEST.values()))
        self._link.on("key", lambda event: self._key(event.args))
        self._link.on("dropped", lambda event: self._open(event.args["file"], event.args["as"]))
        self._link.on("rendered", lambda event: self._rendered(**event.args))
        self._link.on("trouble", lambda event: self.say(event.args))
        ui.timer(LOOK_AT_SENDING_S, self._look_at_sending)
        self._follow()

    def say(self, words: str, kind: Kind = "negative") -> None:
        """A sentence on the page, with the user's names of files; what went wrong stays until it is read."""
        with self.client:
            users_words = without_folder(words, self.session.folder)
            ui.notify(
                users_words,
                type=kind,
                position="top",
                multi_line=True,
                timeout=0 if kind == "negative" else 4000,
                close_button="OK" if kind in ("negative", "warning") else False,
                classes="sentence",
            )

    def attempt(self, work: Callable[[], object], done: str = "") -> None:
        """Do something that may be refused; say why, or that it is done."""
        try:
            work()
        except EXPECTED as error:
            self.say(sentence(error))
            self.refresh()
        else:
            if done:
                self.say(done, "positive")

    def refresh(self) -> None:
        """Bring everything up to the session's state."""
        self._link.show(clip=self.session.clip_id, revision=self._revision())
        self._face.show(self._face_file())
        self._transport.show(follow=self._sending)
        self._sent_before = self._sending
        for part in self._parts:
            part()
        self._notes()

    def _follow(self) -> None:
        others = any(connected() for connected in self.session.tabs)
        self.session.tabs.append(self._connected)
        self.session.listeners.append(self.refresh)
        self.client.on_delete(self._closed)  # not on_disconnect, which a reconnecting tab calls too
        if others:
            self.say("This session is open in another tab too: what is changed in one changes in both.", "info")
        self.refresh()

    def _top(self, dark: ui.dark_mode) -> None:
        with ui.element("div").classes("top"):
            ui.label("preview").classes("title")
            icon("folder_open", "Open an audio file, a take or a face", "open").on(
                "click", js_handler="() => window.livelinkOpen()"
            )
            self._character_buttons()
            export_menu(self)
            _bar()
            file = ui.label().classes("file").props("id=file")
            self._parts.append(comparison_menu(self).refresh)
            if self.session.unreal:
                send = icon(
                    "cast",
                    f"Send to {', '.join(self.session.unreal.targets)}, in step with the page",
                    "send",
                    self._send,
                )
                self._parts.append(lambda: _coloured(send, self._sending))
            self._help = help_dialog()
            icon("contrast", "Light or dark", "light", dark.toggle)
            icon("help_outline", "Keys (?)", "help", self._help.open)
        self._parts.append(lambda: file.set_text(self._title()))

    def _character_buttons(self) -> None:
        save = save_dialog(self)
        self._save_open: Callable[[], object] = save.open
        button = icon("save", "Save the character (S)", "save", save.open)
        _bar()
        undo = icon("undo", "Undo (U)", "undo", lambda: self._key("undo"))
        redo = icon("redo", "Redo (Shift+U)", "redo", lambda: self._key("redo"))

        def read() -> None:
            undo.set_enabled(self.session.history.can_undo)
            redo.set_enabled(self.session.history.can_redo)
            _coloured(button, self.session.unsaved)

        self._parts.append(read)

    def _title(self) -> str:
        clip, character = self.session.clip, self.session.character_path
        parts = [
            clip.name if clip else "nothing open",
            f"{clip.duration_s:.1f} s" if clip else "",
            character.name if character else "",
        ]
        return "   ·   ".join(part for part in parts if part) + (" (not saved)" if self.session.unsaved else "")

    def _busy(self) -> None:
        with ui.element("div").classes("busy") as veil:
            with ui.element("div"):
                word = ui.label()
                bar = ui.linear_progress(0, show_value=False)
                cancel = ui.button("Cancel", on_click=self.cancel_video, color=None).props(
                    "flat no-caps id=cancel-video"
                )
        veil.set_visibility(False)

        def read() -> None:
            veil.set_visibility(self.session.busy is not None)
            word.set_text(self.session.busy or "")
            bar.set_value(self.session.progress)
            cancel.set_visibility(self.session.video is not None)

        self._parts.append(read)
        ui.timer(0.25, lambda: read() if self.session.busy else None)

    @property
    def _sending(self) -> bool:
        return self.session.unreal is not None and self.session.unreal.running

    async def _send(self) -> None:
        """Send to the receivers what is played from now on, or no longer."""
        unreal = self.session.unreal
        if unreal is None:
            return
        try:
            await (
                asyncio.to_thread(unreal.stop)
                if unreal.running
                else asyncio.to_thread(unreal.start, self.session.pose_at)
            )
        except EXPECTED as error:
            self.say(sentence(error))
        self.session.tell()

    def _moved(self, args: dict[str, Any]) -> None:
        if self.session.unreal and args["side"] in self.session.sides:
            self.session.unreal.moved(
                float(args["time"]), float(args["speed"]) if args["playing"] else 0.0, str(args["side"])
            )

    def _look_at_sending(self) -> None:
        """Sending may end by itself, in its own thread: then the button goes dark and the reason is said."""
        if self._sent_before != self._sending:
            self.refresh()

    def _revision(self) -> dict[str, int]:
        return {name: side.revision for name, side in self.session.sides.items()}

    def _face_file(self) -> str:
        return f"/session/face/{self.session.face.parent.name}" if self.session.face else FACE_URL

    def _notes(self) -> None:
        """What is worth knowing of the clip and of the face, once each."""
        clip, unreal = self.session.clip, self.session.unreal
        if self.session.trouble and self.session.troubles != self._troubles_said:
            self._troubles_said = self.session.troubles
            self.say(self.session.trouble)
        if unreal and unreal.failures != self._failures_said:
            self._failures_said = unreal.failures
            self.say(sentence(unreal.trouble))
        for note in (*(clip.notes if clip else ()), *self.session.face_notes):
            key = f"{self.session.clip_id} {note}"
            if key not in self._noted:
                self._noted.add(key)
                self.say(note, "warning")

    def _key(self, word: str) -> None:
        session = self.session
        work: dict[str, Callable[[], Any]] = {
            "undo": session.undo,
            "redo": session.redo,
            "save": self._save_open,
            "help": self._help.open,
        }
        if word in work:
            self.attempt(work[word])

    async def open_other_model(self, name: str) -> None:
        """Compare with what another model makes of the same sound."""
        source = self.session.source
        if source is None or (self.session.clip and self.session.clip.kind == "take"):
            self.say("Open an audio file first: a model animates audio, and a take was made by one.", "warning")
            return
        try:
            await self.session.open(source, other=True, model=name)
        except EXPECTED as error:
            self.say(sentence(error))

    async def export(self, ending: str) -> None:
        """Write A and hand it to the browser."""
        try:
            path, notes = await self.session.export(ending)
        except EXPECTED as error:
            self.say(sentence(error))
            return
        with self.client:
            ui.download(export_url(path), path.name)
        for note in notes:
            self.say(sentence(note), "warning")

    async def begin_video(self, size: str, rate: int) -> None:
        """Let the browser render A at a size and a rate; `_rendered` hears of the end."""
        try:
            video = await self.session.begin_video(Film.of(size, rate))
        except EXPECTED as error:
            self.say(sentence(error))
            return
        self._video = video.number
        if self._gone:
            self._closed_while_rendering()
            return
        film = {"width": video.film.width, "height": video.film.height}
        self._link.run_method("render", {"video": video.number, "frames": video.frames, **film})

    def cancel_video(self) -> None:
        """Give up the video that is being rendered, by whichever tab."""
        if self.session.video is not None:
            self.session.drop_video()
            self.say("The video was cancelled; no file was written.", "info")

    async def _rendered(self, video: int, trouble: str) -> None:
        if self._video == video:  # not another one, begun since this one was cancelled
            self._video = None
        if trouble:
            self.session.drop_video(trouble, video)
        if self.session.video is None or self.session.video.number != video:
            return
        try:
            path = await self.session.finish_video(video)
        except EXPECTED as error:
            self.say(sentence(error))
            return
        with self.client:
            ui.download(export_url(path), path.name)

    def _connected(self) -> bool:
        return self.client.has_socket_connection

    def _closed_while_rendering(self) -> None:
        self.session.drop_video("The video was given up: its tab was closed while it was rendered.", self._video)

    def _closed(self) -> None:
        self._gone = True
        if self._video is not None:
            self._closed_while_rendering()
        self.session.listeners.remove(self.refresh)
        self.session.tabs.remove(self._connected)
        if not self.session.listeners and self.session.unreal:
            asyncio.get_running_loop().run_in_executor(
                None, self.session.unreal.stop
            )  # waits until the face is neutral

    async def _open(self, file: str, use: str) -> None:
        """Open what was dropped, by its ending. `file` is below the session's folder."""
        path = (self.session.folder / file).resolve()
        if not path.is_relative_to(self.session.folder.resolve()) or not path.is_file():
            return
        try:
            if path.suffix.lower() in FACE_ENDINGS:
                await self.session.use_face(path)
            elif path.suffix.lower() in (".yaml", ".yml"):
                await self.session.use_character(path)
            else:
                await self.session.open(path, other=use == "other")
        except EXPECTED as error:
            self.say(sentence(error))


def icon(name: str, hint: str, mark: str, on_click: Callable[[], Any] | None = None) -> ui.button:
    """A round icon button with a tooltip; `mark` is its HTML id."""
    button = ui.button(icon=name, on_click=on_click, color=None).props(
        f'flat round dense id="{mark}" aria-label="{hint}"'
    )
    with button:
        ui.tooltip(hint)
    return button


def _coloured(button: ui.button, on: bool) -> None:
    button.classes(add="lit" if on else "", remove="" if on else "lit")


def _bar() -> None:
    ui.element("div").classes("bar")
