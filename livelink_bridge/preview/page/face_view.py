"""The viewport of the face: a canvas drawn with the three.js of the NiceGUI package."""

from __future__ import annotations

from collections.abc import Callable

import nicegui.elements.scene  # noqa: F401 - makes three.js known to the page as "nicegui-scene"
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from arkit_mapping.channels import CHANNELS_61

Heard = Callable[[GenericEventArguments], object]


class FaceView(Element, component="face_view.js"):
    """A face that shows the stage's pose. `canvas#NAME` carries data-ready="1" once it is drawn."""

    def __init__(self, file: str, *, name: str = "face", side: str | None = None, label: str = "The face") -> None:
        """`file` is the .glb's address. `side` "a" or "b" shows that side whatever the page has chosen."""
        super().__init__()
        self._props.update(
            {"name": name, "file": file, "channels": list(CHANNELS_61), "views": side is None, "label": label}
        )
        if side:
            self._props["side"] = side

    def show(self, file: str) -> None:
        """Show another .glb."""
        if self._props["file"] != file:
            self._props["file"] = file
            self.update()
