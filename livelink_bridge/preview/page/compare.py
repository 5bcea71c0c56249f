"""The page of the blind comparison: A and B side by side, unlabelled, one part of the audio after the other, and the
votes."""

from __future__ import annotations

import secrets
from pathlib import Path

from nicegui import ui

from livelink_bridge.errors import BridgeError, UsageError
from livelink_bridge.preview.editor.preference import report, sentences
from livelink_bridge.preview.editor.state import FACE_URL, EditorState
from livelink_bridge.preview.editor.votes import QUESTIONS, Ballots, Blind
from livelink_bridge.preview.page.face_view import FaceView
from livelink_bridge.preview.page.timeline import StageLink, Transport

THEME = Path(__file__).parents[1] / "web" / "theme.css"
PART_S = 8.0
"""Length of the audio of one vote: a sentence."""
MAX_PARTS = 30
ANSWERS = (("left", "Left"), ("tie", "No difference"), ("right", "Right"))


def build(session: EditorState) -> None:
    """The page at /compare."""
    ui.add_css(THEME)
    ui.dark_mode(True)
    try:
        blind, ballots = drawn(session)
    except BridgeError as error:
        with ui.element("div").classes("compare-empty"):
            ui.label(str(error))
        return
    ComparePage(session, blind, ballots).build()


def parts(duration_s: float) -> list[tuple[float, float]]:
    """The sound in parts of equal length, about PART_S each, at most MAX_PARTS."""
    count = min(MAX_PARTS, max(1, round(duration_s / PART_S)))
    return [(duration_s * part / count, duration_s * (part + 1) / count) for part in range(count)]


def names(session: EditorState) -> tuple[str, str]:
    """What A and B are, for the report."""
    character = session.character_path.name if session.character_path else "no character"
    b = {
        "saved": f"saved character ({character})",
        "predicted": "as predicted",
        "other": session.other.name if session.other else "",
    }
    return f"sliders on {session.clip.name if session.clip else ''}", b[session.against]


def drawn(session: EditorState) -> tuple[Blind, Ballots]:
    """The comparison of the session's clip: the one that was begun in this folder, or a new one. Raises BridgeError."""
    clip = session.clip
    if clip is None or not session.sides["b"].revision:
        raise UsageError("Nothing is open. Open an audio file on the first page, choose what B is, and come back.")
    a, b = names(session)
    labels = [f"{clip.name} {start:.2f}-{end:.2f} s" for start, end in parts(clip.duration_s)]
    folder = Path.cwd()
    path = folder / f"{Path(clip.name).stem}-blind.json"
    found = Blind.read(path) if path.exists() else None
    if found is None or (found.a, found.b, sorted(trial.clip for trial in found.trials)) != (a, b, sorted(labels)):
        path = path if found is None else path.with_name(f"{path.stem}-{secrets.token_hex(3)}.json")
        found = Blind.drawn(labels, a, b, secrets.randbelow(1 << 31))
        found.write(path)
    return found, Ballots(path.with_suffix(".csv"), found)


class ComparePage:
    """One voter's tab."""

    def __init__(self, session: EditorState, blind: Blind, ballots: Ballots) -> None:
        self._session, self._blind, self._ballots = session, blind, ballots
        self._trial: int | None = None
        self._chosen: dict[str, str] = {}
        self._client = ui.context.client
        self._client.on_delete(ballots.close)

    def build(self) -> None:
        """Create the elements of the page."""
        with ui.element("div").classes("compare"):
            with ui.element("div").classes("top"):
                ui.label("which is better?").classes("title")
                self._where = ui.label().classes("file")
                self._voter = (
                    ui.input("Your name, if you like").props("dense for=voter").on("blur", lambda: self._next())
                )
                ui.button("Result", on_click=self._show_report, color=None).props("flat no-caps dense id=result")
            self._pair = ui.element("div").classes("pair")
            with ui.element("div").classes("area-transport blind"):
                Transport(follow=False)
            with ui.element("div").classes("questions"):
                self._questions = {question: self._ask(question, text) for question, text in QUESTIONS.items()}
        revision = {name: side.revision for name, side in self._session.sides.items()}
        self._link = StageLink(clip=self._session.clip_id, revision=revision, live=0, largest=0)
        self._next()

    def _ask(self, question: str, text: str) -> ui.toggle:
        with ui.element("div").classes("question"):
            ui.label(text)
            toggle = ui.toggle(dict(ANSWERS), on_change=lambda event: self._answer(question, event.value))
            return toggle.props(f'no-caps unelevated toggle-color=primary id="ask-{question}"')

    def _next(self) -> None:
        """Show the first part that this voter has not judged."""
        left = self._ballots.left_for(self._voter.value or "")
        trial = left[0] if left else None
        if trial == self._trial and trial is not None:
            return
        self._trial, self._chosen = trial, {}
        for toggle in self._questions.values():
            toggle.set_value(None)
            toggle.set_enabled(trial is not None)
        total = len(self._blind.trials)
        asked = f"part {total - len(left) + 1} of {total}; play it with space, then answer"
        self._where.set_text(asked if trial is not None else "That was all: thank you.")
        if trial is not None:
            self._stand(trial)

    def _stand(self, trial: int) -> None:
        """Place the two faces as drawn by lot, and select the part of the audio."""
        shown = self._blind.trials[trial]
        self._pair.clear()
        with self._pair:
            for place, side in (("left", shown.left), ("right", "b" if shown.left == "a" else "a")):
                with ui.element("div"):
                    FaceView(FACE_URL, name=f"face-{place}", side=side, label=f"The face on the {place}")
        start, _, end = shown.clip.rpartition(" s")[0].rpartition(" ")[2].partition("-")
        self._link.run_method("show", [float(start), float(end)])

    def _answer(self, question: str, choice: str | None) -> None:
        if choice is None or self._trial is None:
            return
        self._chosen[question] = choice
        if len(self._chosen) < len(QUESTIONS):
            return
        try:
            for asked, answer in self._chosen.items():
                self._ballots.vote(self._voter.value or "", self._trial, asked, answer)
        except BridgeError as error:
            ui.notify(str(error), type="negative", timeout=0, close_button="OK")
            return
        self._next()

    def _show_report(self) -> None:
        try:
            said = sentences(self._blind, report(self._ballots.all_votes()))
        except BridgeError as error:
            ui.notify(str(error), type="negative", timeout=0, close_button="OK")
            return
        with ui.dialog() as dialog, ui.card().style("min-width: 520px"):
            ui.label("Preference so far").style("font-size: 17px; font-weight: 600")
            for sentence in said:
                ui.label(sentence)
            ui.label("Looking at it before the last vote is not blind any more.").style(
                "color: var(--soft); font-size: 13px"
            )
        dialog.open()
