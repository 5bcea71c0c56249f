"""`stream_to`: drives a face from PCM in the same process, with the pipeline of `listen` but without its WebSocket."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from livelink_bridge.api.parts import model_of, settings_of
from livelink_bridge.api.sound import checked_rate, checked_sound
from livelink_bridge.audio.pcm import MAX_CHANNELS, PcmFormat, Sound
from livelink_bridge.core.clock import Clock, MonotonicClock
from livelink_bridge.core.limits import BUFFER
from livelink_bridge.errors import BridgeError, UsageError
from livelink_bridge.settings.moods import read_mood

if TYPE_CHECKING:
    from livelink_bridge.audio.input.input_chain import InputChain
    from livelink_bridge.face.face import Face
    from livelink_bridge.reporting.metrics import Summary
    from livelink_bridge.session.outputs import Outputs
    from livelink_bridge.sources.paced_pcm import PcmSource
    from livelink_bridge.sources.utterance import Position
    from speech_to_face.base import SpeechToFace

_POLL_S = 0.02
_STUCK_S = 5.0
"""Playout that has not advanced for so long with audio buffered has failed."""


class TalkingFace:
    """A live face. Its methods are thread-safe; no audio is lost, however fast it is passed."""

    def __init__(self, source: PcmSource, face: Face, sample_rate: int, clock: Clock, ended: threading.Event) -> None:
        """
        Parameters
        ----------
        source : playout of the audio; its name is the subject
        face : the face to animate
        sample_rate : Hz of the audio passed to `say`
        clock : monotonic clock
        ended : set when `source` is no longer read
        """
        self.subject = source.name
        """The name in Unreal's Live Link window."""
        self.summary: Summary | None = None
        """Frames sent, delays and losses. None until the `with` block has ended."""
        self._source, self._face, self._rate, self._clock, self._ended = source, face, sample_rate, clock, ended
        self._channels: int | None = None

    @property
    def position(self) -> Position:
        """The playout position: number of the utterance, seconds of it played, seconds buffered, underruns, and bytes
        of incomplete samples dropped at the ends of utterances."""
        return self._source.position()

    def say(self, chunk: ArrayLike | bytes) -> None:
        """Add audio to the utterance. Returns at once unless 30 s are buffered; then it blocks until there is room.

        Parameters
        ----------
        chunk : float (n,) or (n, 2) in [-1, 1], int16 of these shapes, or bytes of 16-bit mono, little endian. Any n,
            also 0; bytes may end within a sample, whose rest starts the next chunk

        Raises UsageError for invalid audio, BridgeError if the face has stopped.
        """
        before = self._source.interruptions
        sound = self._sound(chunk, before)
        for at in range(0, len(sound), self._rate):
            self._wait_for_room()
            if not self._source.push(
                np.clip(sound[at : at + self._rate], -1.0, 1.0), self._rate, expected_interruptions=before
            ):
                return

    def end(self) -> None:
        """End the utterance: its last frames are released at once, then the face decays to neutral. The next `say`
        starts another utterance."""
        self._check()
        self._source.end(only_if_begun=True)

    def interrupt(self) -> None:
        """Discard all audio not yet played, also the rest of a chunk in a `say` that blocks on another thread. The face
        decays to neutral within 150 ms."""
        self._check()
        self._source.interrupt()

    def set_mood(self, mood: str) -> None:
        """Blend to a mood such as "happy:0.4" or "neutral". Raises ConfigError for an unknown one."""
        self._face.set_mood(read_mood(mood))

    def feel(self, mood: str) -> None:
        """Old name of `set_mood`, removed after the next version."""
        warnings.warn("TalkingFace.feel is deprecated, use set_mood", DeprecationWarning, stacklevel=2)
        self.set_mood(mood)

    def wait(self) -> None:
        """Block until all audio passed so far has been played. Raises BridgeError if playout stands still for 5 s."""
        where, since_s = self.position, self._clock.now()
        while where.buffered_s > 0:
            self._check()
            self._clock.wait_until(self._clock.now() + _POLL_S, self._ended)
            before, where = where, self.position
            if (where.utterance, where.played_s) != (before.utterance, before.played_s):
                since_s = self._clock.now()
            if self._clock.now() - since_s > _STUCK_S:
                raise BridgeError(
                    f"{self.subject}: {where.buffered_s:.1f} s of audio are buffered but not played; the log says why"
                )

    def _sound(self, chunk: ArrayLike | bytes, begun: int) -> Sound:
        """`begun` is the source's `interruptions` when `say` was called."""
        if isinstance(chunk, bytes | bytearray | memoryview):
            data = bytes(chunk)
            self._check_channels(1, len(data))
            return self._source.samples_of(data, PcmFormat("s16le", self._rate, 1), expected_interruptions=begun)
        sound = checked_sound(chunk, MAX_CHANNELS)
        self._check_channels(sound.shape[1], len(sound))
        return sound

    def _check_channels(self, channels: int, length: int) -> None:
        if self._channels not in (None, channels) and length:
            raise UsageError(f"sound: got {channels} channels after {self._channels}, expected as many as before")
        if length:
            self._channels = channels

    def _wait_for_room(self) -> None:
        self._check()
        while self._source.full():
            self._clock.wait_until(self._clock.now() + _POLL_S, self._ended)
            self._check()

    def _check(self) -> None:
        if self._ended.is_set():
            raise BridgeError(f"{self.subject}: the face has stopped; open another with stream_to")


@contextmanager
def stream_to(
    targets: str | Sequence[str],
    *,
    subject: str,
    sample_rate: int,
    model: str | os.PathLike[str] | SpeechToFace = "pmmtalk-live",
    device: str = "auto",
    character: str | os.PathLike[str] | None = None,
    liveliness: bool = True,
    seed: int = 0,
    mood: str | None = None,
    gate: str = "auto",
    level_control: bool = True,
    fps: float | str = 60,
    face_delay: float = 0.0,
    buffer_ms: float = 100,
) -> Iterator[TalkingFace]:
    """A live face, driven by the audio passed to it in real time, for the duration of a `with` block.

    At its end the block waits until all audio is played; an exception ends it at once. Either way the face decays to
    neutral and the last packets are neutral, half a second in all. The audio itself is not played: the caller plays it,
    in time with `TalkingFace.position`.

    Parameters
    ----------
    targets : one URI or several: livelink://HOST:PORT, osc://, vmc://, ifacialmocap:// or take:FOLDER
    subject : the face's name in Unreal's Live Link window, unique per face
    sample_rate : Hz of the audio, 8000 to 192000
    model : a name, a folder, or a model from `speech_to_face.load_model`: faces that share one run in one batch
    device, character, liveliness, seed, mood : as for `animate`; a character file is read again when it is saved
    gate : "auto", "voice", "level" or "off": what opens the noise gate
    level_control : whether the AGC brings speech to one level
    fps : packets per second, 1 to 60; "29.97" is the television rate of that name
    face_delay : milliseconds by which frames are delayed, 0 to 500, for audio that is heard late
    buffer_ms : prebuffer: milliseconds of audio buffered before a face starts, 80 to 2000

    Raises
    ------
    UsageError for invalid arguments (ConfigError is a subclass), SinkError for a target that cannot be opened,
    BridgeError for a character file that cannot be read, ModelError (`speech_to_face.base`) for a model or a device
    that is not available.
    """
    from livelink_bridge.session import build

    rate, prebuffer_s, clock = checked_rate(sample_rate), _prebuffer_s(buffer_ms), MonotonicClock()
    settings = settings_of(
        to=targets if isinstance(targets, str) else list(targets),
        subject=subject,
        device=device,
        character=character,
        liveliness=liveliness,
        seed=seed,
        mood=mood,
        gate=gate,
        level_control=level_control,
        fps=fps,
        face_delay=face_delay,
    )
    outputs, face = build.outputs_of(settings), build.face_of(settings, clock)
    chosen = model_of(model, device)
    chain = build.input_chain_of(settings, None, chosen.lookahead_s)
    with _talking(chosen, face, chain, outputs, rate, prebuffer_s, clock) as talking:
        yield talking


@contextmanager
def _talking(
    model: SpeechToFace, face: Face, chain: InputChain, outputs: Outputs, rate: int, prebuffer_s: float, clock: Clock
) -> Iterator[TalkingFace]:
    from livelink_bridge.core.workers import Runner
    from livelink_bridge.session.model_thread import warm_up
    from livelink_bridge.session.modes.follow import follow
    from livelink_bridge.session.outputs import open_sinks
    from livelink_bridge.sources.paced_pcm import PcmSource

    warm_up(model)
    source = PcmSource(outputs.subject, clock=clock, prebuffer_s=prebuffer_s)
    with open_sinks(outputs) as sinks, Runner(clock) as runner:
        talking = TalkingFace(source, face, rate, clock, runner.stop)

        def run() -> None:
            talking.summary = follow(
                source, model, face, outputs, sinks, clock=clock, stop=runner.stop, chain=chain, timing=source
            )

        runner.start("face", run, cancel=source.close)
        yield talking
        source.finish()
        talking.wait()


def _prebuffer_s(buffer_ms: float) -> float:
    if isinstance(buffer_ms, bool) or not isinstance(buffer_ms, int | float) or buffer_ms not in BUFFER:
        raise UsageError(f"buffer_ms: got {buffer_ms!r}, expected {BUFFER}")
    return buffer_ms / 1000
