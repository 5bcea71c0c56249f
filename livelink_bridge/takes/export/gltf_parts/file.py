"""Reads a glTF 2.0 file (.glb, .vrm or .gltf) as its JSON and one binary buffer; writes .glb.

The JSON is preserved as parsed, whatever its extensions: sparse accessors, interleaved and compressed buffer views,
materials and a VRM's own data do not change. Only data that a .glb cannot store elsewhere is rewritten: several
buffers, data URIs and files beside a .gltf move into one buffer, and buffer views are updated.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.errors import BridgeError
from livelink_bridge.takes.export.gltf_parts.buffers import LARGEST, Resources, gathered
from livelink_bridge.takes.export.gltf_parts.structure import check_structure

FLOAT, UNSIGNED_SHORT = 5126, 5123
_MAGIC, _JSON, _BIN = b"glTF", 0x4E4F534A, 0x004E4942
_NO_GLTF = "is not a glTF 2.0 file, expected a .glb, .vrm or .gltf"
_TYPES = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}


@dataclass(slots=True)
class GltfFile:
    """A document with all data in one append-only buffer."""

    document: dict[str, Any]
    """Parsed JSON."""
    binary: bytearray
    """The buffer."""
    extra_chunks: bytes = b""
    """Further chunks of the .glb, unchanged."""

    def listed(self, key: str) -> list[Any]:
        """One of the document's arrays (`accessors`, `animations` ...), created if missing."""
        entries: list[Any] = self.document.setdefault(key, [])
        return entries

    def add(
        self, values: NDArray[np.float32] | NDArray[np.uint16], *, target: int | None = None, bounded: bool = False
    ) -> int:
        """Append an array as an accessor with its own buffer view.

        Parameters
        ----------
        values : (n,), (n, 3) or (n, 4)
        target : what the buffer view is bound to
        bounded : write min and max, required for positions and times

        Returns
        -------
        Index of the accessor
        """
        self.binary += bytes(-len(self.binary) % 4)
        view = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": values.nbytes} | (
            {"target": target} if target else {}
        )
        self.binary += np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
        self.listed("bufferViews").append(view)
        table = values.reshape(len(values), -1)
        accessor: dict[str, Any] = {
            "bufferView": len(self.listed("bufferViews")) - 1,
            "componentType": UNSIGNED_SHORT if values.dtype == np.uint16 else FLOAT,
            "count": len(table),
            "type": _TYPES[table.shape[1]],
        }
        if bounded:
            accessor |= {"min": table.min(axis=0).tolist(), "max": table.max(axis=0).tolist()}
        self.listed("accessors").append(accessor)
        return len(self.listed("accessors")) - 1

    def to_glb(self) -> bytes:
        """The .glb file. Raises BridgeError when it would exceed the format's limit of 4 GB."""
        buffers = self.listed("buffers") or [{}]
        buffers[0] |= {"byteLength": len(self.binary)}
        chunks = (
            _chunk(_JSON, _text_of(self.document | {"buffers": buffers}), b" ")
            + _chunk(_BIN, bytes(self.binary), b"\0")
            + self.extra_chunks
        )
        if len(chunks) + 12 >= 1 << 32:
            raise BridgeError(f"the .glb would be {len(chunks) >> 20} MB large, expected less than 4096; trim the take")
        return struct.pack("<4sII", _MAGIC, 2, 12 + len(chunks)) + chunks


def read_gltf(path: Path) -> GltfFile:
    """Read a .glb, .vrm or .gltf with all its data in one buffer. Raises BridgeError for a file that cannot be read or
    preserved completely."""
    content = _content(path)
    binary, extra_chunks = None, b""
    if content[:4] == _MAGIC:
        text, binary, extra_chunks = _chunks(content, path)
    else:
        text = content
    document = _parsed(text, path)
    check_structure(document, path)
    return GltfFile(document, gathered(document, binary, Resources(path, len(content))), extra_chunks)


def _text_of(document: dict[str, Any]) -> bytes:
    """JSON in UTF-8; with escapes if a name contains half a surrogate pair."""
    try:
        try:
            return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        except UnicodeEncodeError:
            return json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
    except RecursionError:
        raise BridgeError("the face's JSON is nested too deeply to be written again") from None


def _chunk(kind: int, content: bytes, pad: bytes) -> bytes:
    content += pad * (-len(content) % 4)
    return struct.pack("<II", len(content), kind) + content


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise BridgeError(f"{path} is larger than {LARGEST >> 20} MB, expected a face")
        return path.read_bytes()
    except FileNotFoundError:
        raise BridgeError(f"{path}: no such file") from None
    except OSError as error:
        raise BridgeError(f"{path} cannot be read: {error.strerror}") from error


def _chunks(content: bytes, path: Path) -> tuple[bytes, bytes | None, bytes]:
    """A .glb's JSON, its buffer if it has one, and all chunks after those."""
    if len(content) < 20:
        raise BridgeError(f"{path} is cut off: got {len(content)} bytes, expected 20 or more")
    version, size = struct.unpack_from("<II", content, 4)
    if version != 2:
        raise BridgeError(f"{path} is binary glTF {version}, expected 2")
    if len(content) < size:
        raise BridgeError(f"{path} is cut off: got {len(content)} bytes, expected {size}")
    kind, text, after = _chunk_at(content, 12, size, path)
    if kind != _JSON:
        raise BridgeError(f"{path} is damaged: its first chunk is not JSON")
    if after + 8 > size:
        return text, None, b""
    kind, binary, end = _chunk_at(content, after, size, path)
    return (text, binary, content[end:size]) if kind == _BIN else (text, None, content[after:size])


def _chunk_at(content: bytes, at: int, end: int, path: Path) -> tuple[int, bytes, int]:
    """Kind, content and end offset of one chunk."""
    length, kind = struct.unpack_from("<II", content, at)
    if at + 8 + length > end:
        raise BridgeError(
            f"{path} is damaged: a chunk at byte {at} is {length} bytes long, expected {end - at - 8} at most"
        )
    return kind, content[at + 8 : at + 8 + length], at + 8 + length


def _parsed(text: bytes, path: Path) -> dict[str, Any]:
    try:
        document = json.loads(text.decode("utf-8-sig"), parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        if not text[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            raise BridgeError(f"{path} {_NO_GLTF}") from error
        raise BridgeError(f"{path} cannot be read as glTF: {str(error).partition(chr(10))[0][:200]}") from error
    if not isinstance(document, dict) or not isinstance(document.get("asset"), dict):
        raise BridgeError(f"{path} {_NO_GLTF}")
    asset = document["asset"]
    for key in ("version", "minVersion"):
        if not (version := str(asset.get(key, "2.0"))).startswith("2.") or (key == "minVersion" and version != "2.0"):
            raise BridgeError(f"{path} is glTF {version[:20]}, expected 2.0")
    return document


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _no_number(digits[:40])


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number that JSON can represent")
