"""Writes audio as Broadcast Wave, sample by sample as in the source, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from itertools import chain
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.sources.audio_file import WavSource, no_warning
from livelink_bridge.wire.broadcast_wave import HEADER_BYTES, Format, encode_header

Samples = NDArray[np.float32]
"""float32 (n, channels), in [-1, 1]."""
_BLOCK_S = 10.0
_WHOLE_BITS = {"PCM_16": 16, "PCM_24": 24}


def bits_of(path: Path) -> int:
    """Bits per sample for a copy of an audio file: 16 if it has no more, else 24."""
    try:
        return 16 if soundfile.info(str(path)).subtype in ("PCM_16", "PCM_S8", "PCM_U8", "ULAW", "ALAW") else 24
    except (OSError, RuntimeError):
        return 24


def is_plain_wave(path: Path) -> bool:
    """Whether a file is a .wav that readers of takes can use directly: 16 or 24 bits, with all the samples that its
    header declares. False for a file that cannot be read.
    """
    try:
        with soundfile.SoundFile(str(path)) as sound:
            bits = _WHOLE_BITS.get(sound.subtype, 0) if sound.format in ("WAV", "WAVEX", "RF64") else 0
            declared = _declared_bytes(path)
            return bits > 0 and declared == sound.frames * sound.channels * bits // 8
    except (OSError, RuntimeError):
        return False


def write_wave(path: Path, form: Format, blocks: Iterable[Samples]) -> int:
    """Write a new file; 16 and 24 bit sources keep their exact samples.

    Parameters
    ----------
    path : file to create
    form : sample format and start time
    blocks : float32 (n, channels) each, in [-1, 1]

    Returns
    -------
    Samples per audio channel

    Raises
    ------
    OSError : the file exists or cannot be written
    """
    frames, full = 0, 2 ** (form.bits - 1)
    with open(path, "xb") as file:
        file.write(bytes(HEADER_BYTES))
        for block in blocks:
            whole = np.clip(np.rint(np.nan_to_num(block).astype(np.float64) * full), -full, full - 1).astype("<i4")
            file.write(np.ascontiguousarray(whole).view(np.uint8).reshape(-1, 4)[:, : form.bits // 8].tobytes())
            frames += len(block)
        file.write(b"\0" * (frames * form.frame_bytes % 2))
        file.seek(0)
        file.write(encode_header(form, frames))
    return frames


def copy_wave(
    source: Path,
    path: Path,
    *,
    of_day_s: float,
    begun: datetime | None,
    description: str,
    from_s: float = 0.0,
    length_s: float | None = None,
) -> float:
    """Write a section of any audio file as a new .wav.

    Parameters
    ----------
    source : audio file
    path : file to create
    of_day_s : time of day of its first sample, seconds, for the time reference
    begun, description : metadata of the file
    from_s : start of the section, seconds
    length_s : longest duration, seconds; None: to the end

    Returns
    -------
    Seconds written

    Raises
    ------
    SourceError : the source cannot be read
    OSError : the file cannot be written
    """
    # The caller has read the file before, or has rows for it: of a truncated file the existing part is copied.
    with closing(WavSource(source, clock=MonotonicClock(), block_s=_BLOCK_S, allow_cut=True, warn=no_warning)) as sound:
        rate_hz = sound.sample_rate
        first = round(from_s * rate_hz)
        blocks = _between(sound, first, None if length_s is None else first + round(length_s * rate_hz))
        opening = next(blocks, np.zeros((0, 1), np.float32))
        form = Format(rate_hz, opening.shape[1], bits_of(source), round(of_day_s * rate_hz), begun, description)
        return write_wave(path, form, chain([opening], blocks)) / rate_hz


def _between(source: WavSource, first: int, last: int | None) -> Iterator[Samples]:
    """The samples of a source from `first` to before `last`."""
    for block in source.blocks():
        begin = max(0, first - block.start)
        end = len(block.samples) if last is None else min(len(block.samples), last - block.start)
        if begin < end:
            yield block.samples[begin:end].reshape(end - begin, -1)
        if last is not None and block.end >= last:
            return


def _declared_bytes(path: Path) -> int | None:
    """Size of the data chunk by the RIFF header, if the file is long enough; None otherwise, and for RF64 and other
    formats."""
    with open(path, "rb") as file:
        if file.read(12)[:4] != b"RIFF":
            return None
        while len(head := file.read(8)) == 8:
            size = int.from_bytes(head[4:], "little")
            if head[:4] == b"data":
                return size if path.stat().st_size >= file.tell() + size else None
            file.seek(size + size % 2, 1)
    return None
