"""`preview`: a face editor in the browser."""

from __future__ import annotations

import secrets
import tempfile
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livelink_bridge.commands.files.take_reading import TakeRate, check_rate
from livelink_bridge.commands.options import abortable
from livelink_bridge.core.limits import PORT as PORTS
from livelink_bridge.errors import BridgeError, UsageError

if TYPE_CHECKING:
    from livelink_bridge.face.face import Face
    from livelink_bridge.preview.editor.face_map import FaceMap
    from livelink_bridge.preview.editor.live_controls import LiveControls
    from livelink_bridge.preview.editor.state import Analyse, EditorState
    from livelink_bridge.session.remote import OnStart
    from livelink_bridge.settings.table import Settings
    from livelink_bridge.takes.recorder import Recorder
    from speech_to_face.base import SpeechToFace

PORT = 8090
PAGE = "preview:"
"""The target that is the page."""
TAKES = Path("takes")
"""Folder for takes that are started on the page of a session without --record."""
_FILE_HELP = "An audio file (wav, flac, ogg, mp3) or a take (.csv, or its folder). More can be dropped on the page."
_FACE_HELP = "A .glb or .vrm to show instead of the built-in face; one can also be dropped on the page."
_TOKEN_HELP = "Secret that a browser on another machine must send, with --host. Default a new one, printed."


def preview(
    settings: Settings,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help=_FILE_HELP)] = None,
    face: Annotated[Path | None, typer.Option(metavar="FILE", help=_FACE_HELP)] = None,
    port: Annotated[
        int, typer.Option(metavar="N", help="TCP port of the page; 0 takes any free one. Default 8090.")
    ] = PORT,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address of the page instead of opening it.")
    ] = False,
    host: Annotated[
        str,
        typer.Option(
            metavar="H", help="Address to serve at; any but this machine's own needs a token. Default 127.0.0.1."
        ),
    ] = "127.0.0.1",
    token: Annotated[str | None, typer.Option(metavar="TOKEN", help=_TOKEN_HELP)] = None,
    take_rate: TakeRate = None,
) -> None:
    """Open the face in the browser: play, adjust, compare, export.

    Play a line, adjust the face, compare versions, save the character, export the take. Ends with Ctrl-C. Works
    offline.
    """
    if port != 0 and port not in PORTS:
        raise UsageError(f"got --port {port}, expected 0 to {PORTS.highest:g}")
    if file is not None and not file.exists():
        raise BridgeError(f"{file}: no such file")
    check_rate(take_rate)
    if face is not None and face.suffix.lower() not in (".glb", ".vrm"):
        raise UsageError(f"got --face {face}, expected a .glb or .vrm")
    _need_nicegui()
    worn_face = _map_of(face) if face is not None else None
    asked = _token(host, token)
    from livelink_bridge.preview.server.listening_socket import address, listen_on

    listening = listen_on(host, port)
    url = address(host, listening.getsockname()[1], asked)
    typer.echo(f"preview at {url}; Ctrl-C ends")
    if not no_browser:  # before NiceGUI is loaded: the browser takes as long, and waits at the socket
        threading.Thread(target=webbrowser.open, args=(url,), name="browser", daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="livelink-preview-", ignore_cleanup_errors=True) as folder:
        from livelink_bridge.preview.app import Server

        with abortable():  # the folder is removed however this ends
            session = session_of(settings, Path(folder), take_rate)
            if face is not None and worn_face is not None:
                session.show_face(_copied(face, session.folder), worn_face)
            Server(session, listening, host=host, token=asked, first=file).run()


def _map_of(face: Path) -> FaceMap:
    """Which shapes of a face can be moved. Reports what is wrong with the file before anything is opened."""
    from livelink_bridge.preview.editor.face_map import face_map

    return face_map(face)


def _copied(face: Path, folder: Path) -> Path:
    """A copy of a face in the session's folder: nothing outside it is served."""
    import shutil

    copy = folder / "0" / face.name
    try:
        copy.parent.mkdir()
        shutil.copyfile(face, copy)
    except OSError as error:
        raise BridgeError(f"{face} cannot be copied to {copy.parent}: {error.strerror}") from error
    return copy


@contextmanager
def page_beside(settings: Settings, *, several: bool = False) -> Iterator[EditorState | None]:
    """The page of a session with the target `preview:`; None for a session without it.

    The session's one face takes its character from the page, so that the sliders move the face at every target. Several
    performers keep their own characters.

    Parameters
    ----------
    several : whether the performers of the settings are live, instead of one voice

    The caller adds the recorders of `recorders_of` to its sinks and passes its stage to `shown_on`.
    """
    from livelink_bridge.settings.performers import performers_of

    faces = [own for _, own in performers_of(settings)] if several else [settings]
    if not any(PAGE in own.targets for own in faces):
        yield None
        return
    from livelink_bridge.preview.editor.live_controls import LiveControls
    from livelink_bridge.takes.recorder import Recorder

    _need_nicegui()
    with ExitStack() as stack:
        kept = {own.subject: Recorder(own.record or TAKES, subject=own.subject, slate=own.slate) for own in faces}
        for recorder in kept.values():
            stack.callback(recorder.close)
        yield stack.enter_context(live_page(settings, LiveControls(kept, sliders=not several)))


def recorders_of(page: EditorState | None, subject: str) -> Sequence[Recorder]:
    """The recorder that records one subject's takes when the page asks for it; none without a page."""
    return [page.show.recorders[subject]] if page is not None and page.show is not None else []


def shown_on(page: EditorState | None) -> OnStart:
    """A function that lets the page show and control a session that begins; the next one takes its place."""
    from livelink_bridge.session.remote import ignore_start

    return ignore_start if page is None or page.show is None else page.show.follow


@contextmanager
def live_page(settings: Settings, show: LiveControls, *, browser: bool = True) -> Iterator[EditorState]:
    """Serve the page of a live session while the block lasts, at the usual port, or at any if that is taken."""
    from livelink_bridge.preview.server.listening_socket import listen_on

    try:
        listening = listen_on("127.0.0.1", PORT)
    except BridgeError:
        listening = listen_on("127.0.0.1", 0)
    with tempfile.TemporaryDirectory(prefix="livelink-preview-", ignore_cleanup_errors=True) as folder:
        from livelink_bridge.preview.app import Server

        session = session_of(settings, Path(folder))
        session.show = show
        server = Server(session, listening)
        server.start()
        typer.echo(f"preview at {server.url}")
        if browser:
            threading.Thread(target=webbrowser.open, args=(server.url,), name="browser", daemon=True).start()
        try:
            yield session
        finally:
            server.stop()


def _need_nicegui() -> None:
    if find_spec("nicegui") is None:
        raise BridgeError(
            "the page needs NiceGUI, which is not installed; get it: pip install 'livelink-bridge[preview]'"
        )


def _token(host: str, given: str | None) -> str | None:
    """The token that browsers must send; None where only this machine can connect."""
    if host in ("127.0.0.1", "localhost", "::1"):
        return given
    return given or secrets.token_urlsafe(16)


def session_of(settings: Settings, folder: Path, take_rate: str | None = None) -> EditorState:
    """An editor with the settings' model, liveliness, mood and character. The model is loaded with the first audio
    file."""
    from livelink_bridge.core.clock import MonotonicClock
    from livelink_bridge.preview.editor.state import EditorState
    from livelink_bridge.preview.editor.unreal_sender import Unreal
    from livelink_bridge.session.build import character_file, outputs_of
    from speech_to_face import checkpoint

    if settings.character is not None:
        character_file(
            settings.character, MonotonicClock()
        )  # reports what is wrong with it as every other command does
    installed = [folder.name for folder in checkpoint.installed(settings.models_dir)]
    others = [name for name in (*checkpoint.names(), *installed) if name != settings.model]
    session = EditorState(folder, analysis(settings, folder, take_rate), character=settings.character, models=others)
    outputs = outputs_of(settings)
    session.unreal = Unreal(
        replace(outputs, targets=tuple(uri for uri in outputs.targets if uri != PAGE)), MonotonicClock()
    )
    return session


def analysis(settings: Settings, folder: Path, take_rate: str | None = None) -> Analyse:
    """A function that opens files for the session. Each model is loaded once, when it is first needed."""
    from functools import lru_cache

    from livelink_bridge.preview.clip.clip import Clip, Progress, analyse
    from livelink_bridge.session.build import model_of

    @lru_cache(maxsize=3)
    def network(name: str) -> SpeechToFace:
        return model_of(replace(settings, model=name))

    def opened(path: Path, model: str | None, on_progress: Progress) -> Clip:
        return analyse(
            path,
            network(model or settings.model),
            bare_face(settings),
            folder / "sounds",
            on_progress,
            take_rate=take_rate,
            allow_cut=settings.allow_cut,
        )

    return opened


def bare_face(settings: Settings) -> Face:
    """A face with the liveliness and mood of the settings. Its character is chosen on the page."""
    from livelink_bridge.core.clock import MonotonicClock
    from livelink_bridge.preview.clip.clip import AS_PREDICTED
    from livelink_bridge.session.build import face_of

    return face_of(settings, MonotonicClock(), AS_PREDICTED)
