"""The menu at the top of the page that chooses side B of the comparison."""

from __future__ import annotations

from nicegui import ui

from livelink_bridge.preview.editor.state import Against
from livelink_bridge.preview.page.actions import PageActions


class ComparisonMenu:
    """The button that says what A is compared with, and its menu."""

    def __init__(self, page: PageActions) -> None:
        self._page = page
        self._button = ui.button(color=None).props("flat dense no-caps id=against icon-right=arrow_drop_down")
        with self._button, ui.menu():
            self._item("The saved character", "saved")
            self._item("As predicted, no character", "predicted")
            ui.separator()
            for name in page.session.models:
                ui.menu_item(f"Another model: {name}", lambda name=name: page.open_other_model(name))
            take = ui.menu_item("Another take or audio file ...")
            take.on("click", js_handler="() => window.livelinkOpen('other')")

    def refresh(self) -> None:
        """Show what B is on the button."""
        session = self._page.session
        names = {
            "saved": "the saved character",
            "predicted": "as predicted",
            "other": session.other.name if session.other else "",
        }
        self._button.set_text(f"B: {names[session.against]}")

    def _item(self, word: str, against: Against) -> None:
        ui.menu_item(word, lambda: self._page.attempt(lambda: self._page.session.compare_with(against)))


def comparison_menu(page: PageActions) -> ComparisonMenu:
    """Add the menu to the page."""
    return ComparisonMenu(page)
