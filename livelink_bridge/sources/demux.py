"""Demultiplexes one device into several sources, one per performer, by audio channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from livelink_bridge.core.channel import Channel
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.errors import BridgeError
from livelink_bridge.sources.base import Captured, Source
from livelink_bridge.sources.microphone import Input, MicrophoneSource

Opener = Callable[[Input, Clock], Source]

_BACKLOG_BLOCKS = 125
"""Same as a microphone's own backlog: 0.25 s in blocks of the shortest kind."""


def _open(spec: Input, clock: Clock) -> Source:
    return MicrophoneSource(spec, clock=clock)


def open_microphones(
    inputs: Sequence[Input], clock: Clock, *, open_one: Opener = _open
) -> tuple[list[Source], list[ChannelDemux]]:
    """Open one source per performer; performers with the same device share it. If one cannot be opened, none stays
    open.

    Parameters
    ----------
    inputs : device and channels of each performer
    clock : for arrival times
    open_one : opens a device

    Returns
    -------
    sources : one per performer, in the order of `inputs`
    demuxes : the shared devices; each needs a thread that runs `run`

    Raises
    ------
    DeviceError : a device cannot be opened
    """
    sources: dict[int, Source] = {}
    demuxes: list[ChannelDemux] = []
    try:
        for device in dict.fromkeys((one.device, one.exclusive) for one in inputs):
            performers = [at for at, one in enumerate(inputs) if (one.device, one.exclusive) == device]
            if len(performers) == 1:
                sources[performers[0]] = open_one(inputs[performers[0]], clock)
                continue
            channels = sorted({channel for at in performers for channel in inputs[at].channels or (1,)})
            demuxes.append(
                ChannelDemux(
                    open_one(Input(device[0], tuple(channels), device[1]), clock),
                    [tuple(channels.index(channel) for channel in inputs[at].channels or (1,)) for at in performers],
                )
            )
            sources.update(zip(performers, demuxes[-1].outputs, strict=True))
    except BaseException:
        for close in [source.close for source in sources.values()] + [demux.close for demux in demuxes]:
            close()
        raise
    return [sources[at] for at in range(len(inputs))], demuxes


class ChannelDemux:
    """Reads a source on a thread of its own (`run`) and gives each output its audio channels."""

    def __init__(self, source: Source, columns: Sequence[tuple[int, ...]]) -> None:
        """
        Parameters
        ----------
        source : the shared device
        columns : for each output, its columns of the source's blocks, counted from 0
        """
        self._source = source
        self.outputs = tuple(ChannelSource(source, chosen, counts_device=at == 0) for at, chosen in enumerate(columns))
        """One source per entry of `columns`."""

    def run(self) -> None:
        """Thread body: runs until the source ends or fails, and ends or fails every output with it."""
        failure: BridgeError | None = None
        try:
            for block in self._source.blocks():
                for output in self.outputs:
                    output.push(block)
        except BridgeError as error:
            failure = error
        for output in self.outputs:
            output.end(failure)

    def close(self) -> None:
        """Close the shared device, which ends `run`."""
        self._source.close()


class ChannelSource:
    """A source of some columns of another source's blocks; see `Source` for its properties."""

    live = True
    duration_s = None

    def __init__(self, source: Source, columns: tuple[int, ...], *, counts_device: bool = True) -> None:
        """
        Parameters
        ----------
        source : the shared device
        columns : columns of its blocks, counted from 0
        counts_device : report the device's own losses here; exactly one output does, or a sum over performers would
            count them several times
        """
        self._counts_device = counts_device
        self._source, self._columns = source, list(columns)
        self._blocks: Channel[AudioBlock] = Channel(_BACKLOG_BLOCKS, "newest")
        self._failure: BridgeError | None = None

    @property
    def name(self) -> str:
        """Name of the device."""
        return self._source.name

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self._source.sample_rate

    @property
    def latency_s(self) -> float | None:
        """Latency of the device's own buffer, seconds; None when unknown."""
        return self._source.latency_s if isinstance(self._source, Captured) else None

    @property
    def reopened(self) -> int:
        """Times the device was lost and opened again."""
        return self._source.reopened if isinstance(self._source, Captured) else 0

    @property
    def overflows(self) -> int:
        """Input overflows of the device, if this output counts them."""
        return self._source.overflows if self._counts_device else 0

    @property
    def dropped(self) -> int:
        """Blocks dropped because this output was not read in time, and the device's if this output counts them."""
        return self._blocks.dropped + (self._source.dropped if self._counts_device else 0)

    @property
    def trouble(self) -> str | None:
        """Why no audio arrives, see `Source.trouble`."""
        return self._source.trouble

    def push(self, block: AudioBlock) -> None:
        """Append this output's columns of a block, float32 (n, channels)."""
        self._blocks.put(replace(block, samples=block.samples[:, self._columns]))

    def end(self, failure: BridgeError | None) -> None:
        """End `blocks` once it is drained; it then raises `failure`, unless None."""
        self._failure = failure
        self._blocks.close()

    def blocks(self) -> Iterator[AudioBlock]:
        """See `Source.blocks`. float32 (n, channels)."""
        yield from self._blocks
        if self._failure:
            raise self._failure

    def close(self) -> None:
        """End this output; the others continue."""
        self._blocks.close()
