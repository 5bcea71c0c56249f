"""One server for the tests of the page."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from animator import LENGTH_S, LOUD_S, Served, SpelledOut, write_voice

from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.face.face import Face
from livelink_bridge.session.outputs import Outputs


@pytest.fixture(scope="session")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds: silence, a loud second, silence."""
    return write_voice(tmp_path_factory.mktemp("sounds") / "line.wav", LENGTH_S, LOUD_S)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A page served on this machine, with a network that opens the mouth as far as the voice is loud."""
    pytest.importorskip("nicegui", reason="NiceGUI is not installed: pip install livelink-bridge[preview]")
    from livelink_bridge.preview.app import Server
    from livelink_bridge.preview.clip.clip import AS_PREDICTED, analyse
    from livelink_bridge.preview.editor.state import EditorState
    from livelink_bridge.preview.editor.unreal_sender import Unreal
    from livelink_bridge.preview.server.listening_socket import listen_on
    from livelink_bridge.testing.stand_ins import LoudnessModel

    folder = tmp_path_factory.mktemp("session")

    def opened(path: Path, _model: str | None, on_progress: Any) -> Any:
        return analyse(
            path, LoudnessModel(), Face(AS_PREDICTED), folder / "sounds", on_progress, recognizer=SpelledOut()
        )

    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(5.0)
    session = EditorState(folder, lambda *given: served.analyse(*given), models=("loudness",))
    session.unreal = Unreal(Outputs((f"livelink://127.0.0.1:{receiver.getsockname()[1]}",), "Anna"), MonotonicClock())
    server = Server(session, listen_on("127.0.0.1", 0))
    server.start()
    served = Served(session, server.url, folder, receiver, opened)
    yield served
    server.stop()
    receiver.close()
