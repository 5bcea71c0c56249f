"""Gathers the data of a glTF document in one buffer: a .glb's own, data URIs, and files beside a .gltf, both buffers
and images.

Buffers without data, because an extension such as EXT_meshopt_compression replaces them, stay unchanged after it. No
file outside the document's own folder is read: a document of unknown origin must not leak other files.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from livelink_bridge.errors import BridgeError

LARGEST = 1 << 30
"""Largest size of a face with all its files, bytes."""
_NOT_BESIDE = ("data:", "http://", "https://")
"""Prefixes of URIs that do not depend on the document's folder."""
_KINDS_OF_PICTURE = (
    (0, b"\x89PNG", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\xabKTX 20", "image/ktx2"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypavif", "image/avif"),
    (0, b"DDS ", "image/vnd-ms.dds"),
)  # fmt: skip
"""Offset, magic bytes, MIME type."""


@dataclass(slots=True)
class Resources:
    """Loads the data of the URIs in a document."""

    path: Path
    """The document."""
    read: int
    """Bytes read so far."""

    def load(self, uri: str) -> bytes:
        """The data of a URI. Raises BridgeError unless it is a data URI or a file in the document's folder, and when
        all data together is too large."""
        data = self._decoded(uri) if uri.startswith("data:") else self._from_file(uri)
        self.read += len(data)
        if self.read > LARGEST:
            raise BridgeError(f"{self.path} and its files are larger than {LARGEST >> 20} MB, expected a face")
        return data

    def _decoded(self, uri: str) -> bytes:
        head, comma, data = uri.partition(",")
        try:
            if comma and head.endswith(";base64"):
                return base64.b64decode(unquote(data), validate=True)
            if comma:
                return unquote_to_bytes(data)
        except binascii.Error:
            pass
        raise BridgeError(f"{self.path} is damaged: a data URI, {uri[:40]!r} ..., cannot be decoded")

    def _from_file(self, uri: str) -> bytes:
        name, folder = unquote(uri), self.path.parent.resolve()
        try:
            file = (folder / name).resolve()
            if "://" in name or not file.is_relative_to(folder):
                raise BridgeError(
                    f"{self.path} keeps data in {uri[:200]!r}, expected files in its own folder or below; export it "
                    "as .glb"
                )
            if file.stat().st_size > LARGEST:
                raise BridgeError(f"{file} is larger than {LARGEST >> 20} MB, expected a face's data")
            return file.read_bytes()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise BridgeError(f"{self.path} keeps data in {uri[:200]!r}, which cannot be read: {why}") from error


def gathered(document: dict[str, Any], binary: bytes | None, resources: Resources) -> bytearray:
    """Merge all data of a document into one buffer; its buffer views and images are changed to refer to it.

    Parameters
    ----------
    document : parsed JSON, changed in place
    binary : the .glb's own buffer, if any
    resources : loads its URIs

    Raises
    ------
    BridgeError : data that cannot be read or would be lost
    """
    whole, places, fallbacks = bytearray(), list[tuple[int, int]](), list[dict[str, Any]]()
    main: dict[str, Any] = {}
    for number, buffer in enumerate(document.get("buffers", [])):
        if _is_fallback(buffer) and "uri" not in buffer and not (number == 0 and binary):
            fallbacks.append(buffer)
            places.append((len(fallbacks), 0))
            continue
        data = _data_of(number, buffer, binary, resources)
        whole += bytes(-len(whole) % 4)
        places.append((0, len(whole)))
        rest = _without_fallback(buffer)
        if main and rest.get("extensions"):
            raise BridgeError(
                f"{resources.path} has extensions on buffer {number}, which a .glb of one buffer cannot keep"
            )
        main = main or rest
        whole += data
    for holder in _pointing(document):
        _move(holder, places, resources.path)
    _embed_images(document, whole, resources)
    document["buffers"] = [main | {"byteLength": len(whole)}, *fallbacks]
    _refuse_other_files(document, resources.path)
    return whole


def _is_fallback(buffer: dict[str, Any]) -> bool:
    """Whether an extension's own data replaces the buffer's."""
    extensions = buffer.get("extensions")
    return isinstance(extensions, dict) and any(map(_says_fallback, extensions.values()))


def _says_fallback(extension: Any) -> bool:
    return isinstance(extension, dict) and extension.get("fallback") is True


def _without_fallback(buffer: dict[str, Any]) -> dict[str, Any]:
    """A buffer's entry without its URI, and without the mark that readers of an extension may ignore it: it contains
    more data now."""
    rest = {key: value for key, value in buffer.items() if key not in ("uri", "extensions")}
    extensions = buffer.get("extensions", {})
    if isinstance(extensions, dict):
        extensions = {name: extension for name, extension in extensions.items() if not _says_fallback(extension)}
    return rest | ({"extensions": extensions} if extensions else {})


def _data_of(number: int, buffer: dict[str, Any], binary: bytes | None, resources: Resources) -> bytes:
    if "uri" in buffer:
        data = resources.load(buffer["uri"])
    elif number == 0 and binary is not None:
        data = binary
    else:
        raise BridgeError(
            f"{resources.path} has no data for its buffer {number}, expected all of it in the file or beside it"
        )
    if len(data) < buffer["byteLength"]:
        raise BridgeError(
            f"{resources.path} is cut off: buffer {number} has {len(data)} bytes, expected {buffer['byteLength']}"
        )
    return data


def _pointing(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Buffer views, and their extensions that refer to a buffer too."""
    for view in document.get("bufferViews", []):
        yield view
        extensions = view.get("extensions")
        for extension in extensions.values() if isinstance(extensions, dict) else ():
            if isinstance(extension, dict) and isinstance(extension.get("buffer"), int):
                yield extension


def _move(holder: dict[str, Any], places: list[tuple[int, int]], path: Path) -> None:
    """Update a buffer view to the new position of its buffer."""
    if not 0 <= holder["buffer"] < len(places):
        raise BridgeError(
            f"{path} is damaged: a buffer view is of buffer {holder['buffer']}, expected 0 to {len(places) - 1}"
        )
    holder["buffer"], offset = places[holder["buffer"]]
    if offset:
        holder["byteOffset"] = holder.get("byteOffset", 0) + offset


def _embed_images(document: dict[str, Any], whole: bytearray, resources: Resources) -> None:
    for image in document.get("images", []):
        uri = image.get("uri")
        if uri is None or uri.startswith(_NOT_BESIDE):
            continue
        data = resources.load(uri)
        image["mimeType"] = image.get("mimeType") or _kind_of(data, uri, resources.path)
        image.setdefault("name", Path(unquote(uri)).stem)
        del image["uri"]
        whole += bytes(-len(whole) % 4)
        image["bufferView"] = len(document.setdefault("bufferViews", []))
        document["bufferViews"].append({"buffer": 0, "byteOffset": len(whole), "byteLength": len(data)})
        whole += data


def _kind_of(data: bytes, uri: str, path: Path) -> str:
    for at, magic, kind in _KINDS_OF_PICTURE:
        if data[at : at + len(magic)] == magic:
            return kind
    raise BridgeError(
        f"{path} has an image {uri[:200]!r} of an unknown format, expected PNG, JPEG, WebP, KTX2, AVIF or DDS"
    )


def _refuse_other_files(document: dict[str, Any], path: Path) -> None:
    """Refuse files of extensions beside the document: they would be missing beside the .glb."""
    pending: list[Any] = [document]
    while pending:
        entry = pending.pop()
        if isinstance(entry, list):
            pending += entry
        elif isinstance(entry, dict):
            uri = entry.get("uri")
            if isinstance(uri, str) and not uri.startswith(_NOT_BESIDE):
                raise BridgeError(
                    f"{path} keeps data of an extension in {uri[:200]!r}, which the .glb cannot keep; export it as .glb"
                )
            pending += [value for key, value in entry.items() if key != "extras"]
