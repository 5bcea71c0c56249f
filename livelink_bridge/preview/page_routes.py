"""What the browser fetches besides the page: sound, waveform, poses, closure marks, the face, exports; and what it drops here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from livelink_bridge.closures import closures
from livelink_bridge.errors import BridgeError, UsageError
from livelink_bridge.preview.page_session import FACE, Session
from livelink_bridge.preview.peaks import FACTOR, FINEST_HZ, TILE, Peaks
from livelink_bridge.preview.video import LARGEST_PICTURE

MB = 1 << 20
_IN_MB = {".wav": 2048, ".flac": 2048, ".ogg": 512, ".mp3": 512, ".csv": 512, ".glb": 512, ".yaml": 1, ".yml": 1}
LARGEST = {ending: size * MB for ending, size in _IN_MB.items()}
"""Most bytes of a dropped file, by its ending. Two hours at 48 kHz, 24 bits, stereo are 2 GB."""
LARGEST_FOLDER = 16 << 30
"""Most bytes of a session's uploads together."""

_JSON_MARKS = ("time", "phone", "sealed", "opening")


class Routes:
    """The session over HTTP. Only what is in the session's folder, and the built-in face, is ever handed out."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._drops = 0
        self._dropped_bytes = 0

    def add_to(self, app: FastAPI) -> None:
        table: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/session/clip/{clip}": self.clip,
            "/session/sound/{clip}": self.sound,
            "/session/peaks/{clip}/{level:int}/{index:int}": self.peaks,
            "/session/poses/{side}/{level:int}/{index:int}": self.poses,
            "/session/closures/{clip}": self.closures,
            "/session/face/{number}": self.face,
            "/session/exports/{name}": self.export,
        }
        app.router.routes.extend(Route(path, answer, methods=["GET"]) for path, answer in table.items())
        app.router.routes.append(Route("/session/drop", self.drop, methods=["POST"]))
        app.router.routes.append(Route("/session/video", self.picture, methods=["POST"]))

    async def clip(self, request: Request) -> Response:
        """What the clip is and what is heard in it."""
        clip = self._session.clip
        if clip is None or request.path_params["clip"] != self._session.clip_id:
            return _gone()
        return JSONResponse({
            "id": self._session.clip_id,
            "name": clip.name,
            "duration": clip.duration_s,
            "frames": len(clip.predicted),
            "rate": clip.rate,
            "sound": clip.sound is not None,
            "phones": [[part.label, part.start_s, part.end_s] for part in clip.phones],
            "visemes": [[part.label, part.start_s, part.end_s] for part in clip.visemes],
            "peaks": _peaks_of(clip.peaks),
        })  # fmt: skip

    async def sound(self, request: Request) -> Response:
        clip = self._session.clip
        if clip is None or clip.sound is None or request.path_params["clip"] != self._session.clip_id:
            return _gone()
        return self._file(clip.sound)

    async def peaks(self, request: Request) -> Response:
        clip = self._session.clip
        if clip is None or clip.peaks is None or request.path_params["clip"] != self._session.clip_id:
            return _gone()
        try:
            tile = clip.peaks.tile(request.path_params["level"], request.path_params["index"])
        except UsageError:
            return _gone()
        return _numbers(tile.astype("<f4").tobytes())

    async def poses(self, request: Request) -> Response:
        side = self._session.sides.get(request.path_params["side"])
        if side is None or request.query_params.get("of") != self._session.clip_id:
            return _gone()
        return _numbers(await asyncio.to_thread(side.tiles.tile, request.path_params["level"], request.path_params["index"]))

    async def closures(self, request: Request) -> Response:
        """p, b and m of A, as the sliders make them."""
        clip = self._session.clip
        if clip is None or request.path_params["clip"] != self._session.clip_id:
            return _gone()
        marks = await asyncio.to_thread(closures, clip.phones, self._session.sides["a"].tiles.poses)
        rows = ((mark.time_s, mark.phone, mark.sealed, mark.opening) for mark in marks)
        return JSONResponse([dict(zip(_JSON_MARKS, row, strict=True)) for row in rows])

    async def face(self, _request: Request) -> Response:
        own = self._session.face
        return self._file(own, "model/gltf-binary") if own else FileResponse(FACE, media_type="model/gltf-binary")

    async def export(self, request: Request) -> Response:
        name = request.path_params["name"]
        path = self._session.folder / "exports" / Path(name).name
        return self._file(path, as_name=path.name)

    async def drop(self, request: Request) -> Response:
        """Take a dropped file into the session's folder; the page then opens it."""
        name = Path(request.query_params.get("name", "")).name
        bound = LARGEST.get(Path(name).suffix.lower())
        if bound is None:
            return _refused(f"{name} is not a sound (wav, flac, ogg, mp3), a take (.csv), a face (.glb) or a character (.yaml)", 415)
        if self._dropped_bytes > LARGEST_FOLDER:
            return _refused(f"this session has taken {LARGEST_FOLDER >> 30} GB of files; start `livelink-bridge preview` anew", 413)
        self._drops += 1
        path = self._session.folder / f"{self._drops}" / _safe(name)
        path.parent.mkdir(parents=True)
        try:
            self._dropped_bytes += await _receive(request, path, bound)
        except ClientDisconnect:
            path.unlink(missing_ok=True)
            return _refused(f"{name} did not arrive whole", 400)
        except ValueError as error:
            path.unlink(missing_ok=True)
            return _refused(f"{name} {error}", 413)
        except OSError as error:
            path.unlink(missing_ok=True)
            return _refused(f"{name} cannot be kept: {error.strerror}", 507)
        return JSONResponse({"file": f"{self._drops}/{path.name}"})

    async def picture(self, request: Request) -> Response:
        """The next frame of the video that is being rendered."""
        video = self._session.video
        if video is None:
            return _refused("No video is being rendered", 409)
        picture = bytearray()
        try:
            async for part in request.stream():
                picture += part
                if len(picture) > LARGEST_PICTURE:
                    return _refused("The picture is too large", 413)
            await asyncio.to_thread(video.push, bytes(picture))
        except (BridgeError, ClientDisconnect) as error:
            self._session.drop_video(f"The video was given up: {error}.")
            return _refused(f"The video was given up: {error}", 409)
        return JSONResponse({})

    def _file(self, path: Path, media_type: str | None = None, as_name: str | None = None) -> Response:
        if not path.resolve().is_relative_to(self._session.folder.resolve()) or not path.is_file():
            return _gone()
        return FileResponse(path, media_type=media_type, filename=as_name, headers={"Cache-Control": "no-store"})


async def _receive(request: Request, path: Path, bound: int) -> int:
    """The request's body into a file; its length. Raises ValueError, the rest of a sentence, for more than `bound` bytes."""
    size = 0
    with path.open("wb") as file:
        async for part in request.stream():
            size += len(part)
            if size > bound:
                raise ValueError(f"is larger than {bound // MB} MB, expected at most that")
            file.write(part)
    return size


def _safe(name: str) -> str:
    """A file name without anything that a file system or a message could trip over; the ending stays."""
    plain = re.sub(r"[^\w .()\-]", "_", name).strip(" .") or "file"
    return plain[-100:]


def _numbers(data: bytes) -> Response:
    return Response(data, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})


def _gone() -> Response:
    """For what is not on the page any more. No error: a page that was a moment late asks for such things."""
    return Response(status_code=204)


def _refused(why: str, status: int) -> Response:
    return JSONResponse({"detail": f"{why}."}, status)


def _peaks_of(peaks: Peaks | None) -> dict[str, float] | None:
    """What the timeline must know to ask for the waveform's tiles."""
    if peaks is None or not len(peaks.levels[-1]):
        return None
    loudest = float(abs(peaks.levels[-1].astype(float)).max()) / 32767
    return {"rate": FINEST_HZ, "tile": TILE, "shrink": FACTOR, "levels": len(peaks.levels), "loudest": loudest}


def export_url(path: Path) -> str:
    return f"/session/exports/{quote(path.name)}"
