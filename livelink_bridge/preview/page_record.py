"""The record button of a live session: a take begins and ends on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import run, ui

from livelink_bridge.errors import BridgeError

if TYPE_CHECKING:
    from livelink_bridge.preview.page import Page
    from livelink_bridge.recorder import Recorder


class RecordButton:
    """Shown where the session can record. Starting waits for the first pose, off the page's thread."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._button = ui.button(icon="fiber_manual_record", on_click=self._pressed, color=None)
        self._button.props('flat round dense id=record aria-label="Record a take"')
        with self._button:
            self._hint = ui.tooltip("Record a take")
        self.refresh()

    def refresh(self) -> None:
        recorder = self._page.session.recorder
        self._button.set_visibility(recorder is not None)
        recording = recorder is not None and recorder.recording
        self._button.classes(add="recording" if recording else "", remove="" if recording else "recording")
        self._hint.set_text("End the take" if recording else "Record a take")

    async def _pressed(self) -> None:
        recorder = self._page.session.recorder
        if recorder is None:
            return
        try:
            self._page.say(await run.io_bound(_begin_or_end, recorder) or "", "positive")
        except BridgeError as error:
            self._page.say(str(error))
        self._page.session.tell()


def _begin_or_end(recorder: Recorder) -> str:
    if recorder.recording:
        return f"Recorded {recorder.stop().csv}."
    slate, take = recorder.slate, recorder.take
    return f"Recording take {take} of {slate} from {recorder.start()}."
