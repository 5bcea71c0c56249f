"""HTTP routes besides the page: audio, waveform, frames, closure marks, the face, exports; and the rendered video
frames that the browser uploads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from livelink_bridge.analysis.lip_closures import closures
from livelink_bridge.errors import BridgeError, UsageError
from livelink_bridge.preview.clip.peaks import FACTOR, FINEST_HZ, TILE, Peaks
from livelink_bridge.preview.editor.state import FACE, EditorState, built_in_map
from livelink_bridge.preview.film.video import LARGEST_PICTURE
from livelink_bridge.preview.server.uploads import Uploads, refused

_JSON_MARKS = ("time", "phone", "sealed", "opening")


class Routes:
    """The session over HTTP. Only what is in the session's folder, and the built-in face, is ever handed out."""

    def __init__(self, session: EditorState) -> None:
        self._session = session

    def add_to(self, app: FastAPI) -> None:
        """Register the routes with the web application."""
        table: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/session/clip/{clip}": self.clip,
            "/session/sound/{clip}": self.sound,
            "/session/peaks/{clip}/{level:int}/{index:int}": self.peaks,
            "/session/poses/{side}/{level:int}/{index:int}": self.poses,
            "/session/closures/{clip}": self.closures,
            "/session/face/{number}": self.face,
            "/session/face/{number}/map": self.face_map,
            "/session/video/{number:int}/poses/{index:int}": self.video_poses,
            "/session/exports/{number:int}/{name}": self.export,
        }
        app.router.routes.extend(Route(path, answer, methods=["GET"]) for path, answer in table.items())
        app.router.routes.append(Route("/session/drop", Uploads(self._session.folder).answer, methods=["POST"]))
        app.router.routes.append(Route("/session/video/{number:int}/{frame:int}", self.picture, methods=["POST"]))

    async def clip(self, request: Request) -> Response:
        """The clip: name, duration, frames, recognized phones and visemes."""
        clip = self._session.clip
        if clip is None or request.path_params["clip"] != self._session.clip_id:
            return _gone()
        return JSONResponse(
            {
                "id": self._session.clip_id,
                "name": clip.name,
                "duration": clip.duration_s,
                "frames": len(clip.predicted),
                "rate": clip.rate,
                "sound": clip.sound is not None,
                "phones": [[part.label, part.start_s, part.end_s] for part in clip.phones],
                "visemes": [[part.label, part.start_s, part.end_s] for part in clip.visemes],
                "peaks": _peaks_of(clip.peaks),
            }
        )

    async def sound(self, request: Request) -> Response:
        """The audio of the clip, as .wav."""
        clip = self._session.clip
        if clip is None or clip.sound is None or request.path_params["clip"] != self._session.clip_id:
            return _gone()
        return self._file(clip.sound)

    async def peaks(self, request: Request) -> Response:
        """One tile of waveform peaks, little-endian int16."""
        clip = self._session.clip
        if clip is None or clip.peaks is None or request.path_params["clip"] != self._session.clip_id:
            return _gone()
        try:
            tile = clip.peaks.tile(request.path_params["level"], request.path_params["index"])
        except UsageError:
            return _gone()
        return _numbers(tile.astype("<f4").tobytes())

    async def poses(self, request: Request) -> Response:
        """One tile of frames of side A or B."""
        side = self._session.sides.get(request.path_params["side"])
        if side is None or request.query_params.get("of") != self._session.clip_id:
            return _gone()
        return _numbers(
            await asyncio.to_thread(side.tiles.tile, request.path_params["level"], request.path_params["index"])
        )

    async def closures(self, request: Request) -> Response:
        """p, b and m of A, as the sliders make them."""
        clip = self._session.clip
        if clip is None or request.path_params["clip"] != self._session.clip_id:
            return _gone()
        marks = await asyncio.to_thread(closures, clip.phones, self._session.sides["a"].tiles.poses)
        rows = ((mark.time_s, mark.phone, mark.sealed, mark.opening) for mark in marks)
        return JSONResponse([dict(zip(_JSON_MARKS, row, strict=True)) for row in rows])

    async def face(self, _request: Request) -> Response:
        """The loaded face, or the built-in one, as .glb."""
        own = self._session.face
        return self._file(own, "model/gltf-binary") if own else FileResponse(FACE, media_type="model/gltf-binary")

    async def face_map(self, request: Request) -> Response:
        """Which morph target of the face follows which channel."""
        shown = self._session.face_map if self._session.face else await asyncio.to_thread(built_in_map)
        return _gone() if shown is None else JSONResponse(shown.json(), headers={"Cache-Control": "no-store"})

    async def export(self, request: Request) -> Response:
        """An exported file, as a download."""
        name = request.path_params["name"]
        path = self._session.folder / "exports" / str(request.path_params["number"]) / Path(name).name
        return self._file(path, as_name=path.name)

    async def video_poses(self, request: Request) -> Response:
        """Poses of the video's frames, in tiles as of a side."""
        video = self._session.video
        if video is None or request.path_params["number"] != video.number:
            return _gone()
        return _numbers(video.poses.tile(0, request.path_params["index"]))

    async def picture(self, request: Request) -> Response:
        """A frame of the video that is being rendered."""
        video = self._session.video
        if video is None or request.path_params["number"] != video.number:
            return _gone()  # cancelled
        picture = bytearray()
        try:
            async for part in request.stream():
                picture += part
                if len(picture) > LARGEST_PICTURE:
                    return refused("The picture is too large", 413)
            await video.take(request.path_params["frame"], bytes(picture))
        except ClientDisconnect:
            return refused("The picture did not arrive whole", 400)  # the page sends it again
        except BridgeError as error:
            self._session.drop_video(f"The video was given up: {error}.", video.number)
            return refused(f"The video was given up: {error}", 409)
        return JSONResponse({})

    def _file(self, path: Path, media_type: str | None = None, as_name: str | None = None) -> Response:
        if not path.resolve().is_relative_to(self._session.folder.resolve()) or not path.is_file():
            return _gone()
        return FileResponse(path, media_type=media_type, filename=as_name, headers={"Cache-Control": "no-store"})


def _numbers(data: bytes) -> Response:
    return Response(data, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})


def _gone() -> Response:
    """For what is not on the page any more. No error: a page that was a moment late asks for such things."""
    return Response(status_code=204)


def _peaks_of(peaks: Peaks | None) -> dict[str, float] | None:
    """What the timeline must know to ask for the waveform's tiles."""
    if peaks is None or not len(peaks.levels[-1]):
        return None
    loudest = float(abs(peaks.levels[-1].astype(float)).max()) / 32767
    return {"rate": FINEST_HZ, "tile": TILE, "shrink": FACTOR, "levels": len(peaks.levels), "loudest": loudest}


def export_url(path: Path) -> str:
    """URL path of an exported file."""
    return f"/session/exports/{path.parent.name}/{quote(path.name)}"
