"""One device, several voices: its channels handed to as many sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from livelink_bridge.core.channel import Channel
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.errors import BridgeError
from livelink_bridge.sources.base import Source
from livelink_bridge.sources.microphone import Input, MicrophoneSource

Opener = Callable[[Input, Clock], Source]

_BACKLOG_BLOCKS = 125
"""As a microphone's own: a quarter of a second in blocks of the shortest kind."""


def _open(wanted: Input, clock: Clock) -> Source:
    return MicrophoneSource(wanted, clock=clock)


def open_microphones(
    wanted: Sequence[Input], clock: Clock, *, open_one: Opener = _open
) -> tuple[list[Source], list[ChannelDemux]]:
    """A source for each voice, and what has to run for those that share a device. Where one cannot be opened none stays
    open."""
    sources: dict[int, Source] = {}
    splits: list[ChannelDemux] = []
    try:
        for device in dict.fromkeys((one.wanted, one.exclusive) for one in wanted):
            voices = [at for at, one in enumerate(wanted) if (one.wanted, one.exclusive) == device]
            if len(voices) == 1:
                sources[voices[0]] = open_one(wanted[voices[0]], clock)
                continue
            kept = sorted({channel for at in voices for channel in wanted[at].channels or (1,)})
            splits.append(
                ChannelDemux(
                    open_one(Input(device[0], tuple(kept), device[1]), clock),
                    [tuple(kept.index(channel) for channel in wanted[at].channels or (1,)) for at in voices],
                )
            )
            sources.update(zip(voices, splits[-1].voices, strict=True))
    except BaseException:
        for close in [source.close for source in sources.values()] + [split.close for split in splits]:
            close()
        raise
    return [sources[at] for at in range(len(wanted))], splits


class ChannelDemux:
    """Reads a source on a thread of its own (`run`) and gives each voice its columns.

    `columns` are, voice by voice, the columns of the source's blocks that are the voice's, counted from 0.
    """

    def __init__(self, source: Source, columns: Sequence[tuple[int, ...]]) -> None:
        self._source = source
        self.voices = tuple(ChannelSource(source, kept, counts_device=at == 0) for at, kept in enumerate(columns))

    def run(self) -> None:
        """A thread's body: until the source ends or fails, which every voice then does too."""
        failure: BridgeError | None = None
        try:
            for block in self._source.blocks():
                for voice in self.voices:
                    voice.take(block)
        except BridgeError as error:
            failure = error
        for voice in self.voices:
            voice.end(failure)

    def close(self) -> None:
        self._source.close()


class ChannelSource:
    """A source: some columns of another one's blocks."""

    live = True
    duration_s = None

    def __init__(self, source: Source, columns: tuple[int, ...], *, counts_device: bool = True) -> None:
        """`counts_device`: whether the device's own losses are counted here. One of its voices does, or a sum over
        voices would have them several times."""
        self._counts_device = counts_device
        self._source, self._columns = source, list(columns)
        self._blocks: Channel[AudioBlock] = Channel(_BACKLOG_BLOCKS, "newest")
        self._failure: BridgeError | None = None

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def sample_rate(self) -> int:
        return self._source.sample_rate

    @property
    def latency_s(self) -> float | None:
        """What the device's own buffer holds, seconds, where it says so."""
        return getattr(self._source, "latency_s", None)

    @property
    def reopened(self) -> int:
        """Times the device was lost and found again."""
        return int(getattr(self._source, "reopened", 0))

    @property
    def overflows(self) -> int:
        return self._source.overflows if self._counts_device else 0

    @property
    def dropped(self) -> int:
        return self._blocks.dropped + (self._source.dropped if self._counts_device else 0)

    @property
    def trouble(self) -> str | None:
        return self._source.trouble

    def take(self, block: AudioBlock) -> None:
        self._blocks.put(replace(block, samples=block.samples[:, self._columns]))

    def end(self, failure: BridgeError | None) -> None:
        self._failure = failure
        self._blocks.close()

    def blocks(self) -> Iterator[AudioBlock]:
        yield from self._blocks
        if self._failure:
            raise self._failure

    def close(self) -> None:
        """End this voice; the others go on."""
        self._blocks.close()
