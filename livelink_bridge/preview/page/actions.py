"""What the menus and dialogs call on the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from livelink_bridge.preview.editor.state import EditorState

Kind = Literal["positive", "negative", "warning", "info"]


class PageActions(Protocol):
    """One tab, as its menus and dialogs use it; `page.Page` is one."""

    session: EditorState

    def say(self, words: str, kind: Kind = "negative") -> None:
        """Show a sentence; a negative one stays until the user closes it."""
        ...

    def attempt(self, work: Callable[[], object], done: str = "") -> None:
        """Run `work`; show why it was refused, or `done`."""
        ...

    async def open_other_model(self, name: str) -> None:
        """Make B of what another model predicts for the same audio."""
        ...

    async def export(self, ending: str) -> None:
        """Write A as a file of that ending and download it."""
        ...

    async def begin_video(self, size: str, rate: int) -> None:
        """Start to render A as a video, `size` as WxH in pixels, `rate` in frames per second."""
        ...
