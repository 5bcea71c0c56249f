"""`stream_to`: a face that says what a program hands over, on the way of `listen`, without a network between."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from livelink_bridge.api.parts import model_of, settings_of
from livelink_bridge.api.sound import checked_rate, checked_sound
from livelink_bridge.audio.pcm import MOST_CHANNELS, PcmFormat, Sound
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

_LOOK_S = 0.02
_STUCK_S = 5.0
"""Sound that waits and is not played for so long never will be."""


class TalkingFace:
    """A live face. Its methods may be called from any thread; nothing said is lost, however fast it comes."""

    def __init__(self, source: PcmSource, face: Face, sample_rate: int, clock: Clock, ended: threading.Event) -> None:
        """`ended` is set when nobody reads `source` any more."""
        self.subject = source.name
        """Its name in Unreal's Live Link window."""
        self.summary: Summary | None = None
        """How it went: poses sent, delays, losses. None until the `with` block was left."""
        self._source, self._face, self._rate, self._clock, self._ended = source, face, sample_rate, clock, ended
        self._channels: int | None = None

    @property
    def position(self) -> Position:
        """What is heard now: the utterance's number, seconds of it that were played, seconds that wait, times that
        sound ran dry, bytes of samples that an utterance ended within."""
        return self._source.position()

    def say(self, chunk: ArrayLike | bytes) -> None:
        """More of the utterance: float (n,) or (n, 2) in [-1, 1], int16 of these shapes, or bytes of 16-bit mono sound,
        little endian.

        Any n, also 0, and bytes that end within a sample: it waits for the rest of it. Returns at once unless 30 s of
        sound wait to be played; then it waits for room. Raises UsageError for what is no such sound, BridgeError where
        the face has stopped.
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
        """The utterance is complete: its last poses come at once, then the face eases to neutral. What is said next is
        another."""
        self._check()
        self._source.end(only_if_begun=True)

    def interrupt(self) -> None:
        """Drop whatever was not played, also what a `say` on another thread still holds, and close the face within 150
        ms."""
        self._check()
        self._source.interrupt()

    def feel(self, mood: str) -> None:
        """Go over to a mood such as "happy:0.4", or "neutral". Raises ConfigError for one that is not known."""
        self._face.set_mood(read_mood(mood))

    def wait(self) -> None:
        """Until everything that was said so far has been played. Raises BridgeError where nothing is played although
        sound waits."""
        where, since_s = self.position, self._clock.now()
        while where.buffered_s > 0:
            self._check()
            self._clock.wait_until(self._clock.now() + _LOOK_S, self._ended)
            before, where = where, self.position
            if (where.utterance, where.played_s) != (before.utterance, before.played_s):
                since_s = self._clock.now()
            if self._clock.now() - since_s > _STUCK_S:
                raise BridgeError(
                    f"{self.subject}: {where.buffered_s:.1f} s of sound wait and are not played; the log says why"
                )

    def _sound(self, chunk: ArrayLike | bytes, begun: int) -> Sound:
        """`begun` is what the source's `interruptions` was."""
        if isinstance(chunk, bytes | bytearray | memoryview):
            data = bytes(chunk)
            self._check_channels(1, len(data))
            return self._source.samples_of(data, PcmFormat("s16le", self._rate, 1), expected_interruptions=begun)
        sound = checked_sound(chunk, MOST_CHANNELS)
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
            self._clock.wait_until(self._clock.now() + _LOOK_S, self._ended)
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
    """A face that says what it is given, at the pace of speech, for the length of a `with` block.

    Leaving the block waits until everything was said; leaving it by an exception does not. Either way the face eases to
    neutral and rests before the last packet, half a second in all. Sound is not played: whoever makes it plays it too,
    see `TalkingFace.position`.

    Parameters
    ----------
    targets : one URI or several: livelink://HOST:PORT, osc://, vmc://, ifacialmocap:// or take:FOLDER
    subject : the face's name in Unreal's Live Link window; one for each face
    sample_rate : Hz of the sound, 8000 to 192000
    model : a name, a folder, or what `speech_to_face.load_model` gave: faces that share one share its work too
    device, character, liveliness, seed, mood : as for `animate`; a character file is read again when it is saved
    gate : "auto", "voice", "level" or "off": when sound moves the face
    level_control : whether speech is slowly brought to one level
    fps : packets per second, 1 to 60; "29.97" is the television rate of that name
    face_delay : milliseconds by which poses are sent later, 0 to 500, for sound that reaches its audience late
    buffer_ms : milliseconds of sound that have to be there before a face begins, 80 to 2000

    Raises
    ------
    UsageError for arguments that cannot be (ConfigError is one), SinkError for a target that cannot be opened,
    BridgeError for a character file that cannot be read, ModelError (`speech_to_face.base`) for a model or a device
    that is not to be had.
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
