"""A recording with its face: the right frames at the right time, ending neutral whatever happens."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from arkit_mapping import CHANNELS_61
from arkit_mapping.takes.csv import read_take
from livelink_bridge.devices.portaudio import SoundSystem
from livelink_bridge.errors import DeviceError, SourceError
from livelink_bridge.face.face import Face
from livelink_bridge.face.jitter_buffer import DECAY_FRAMES, HOLD_FRAMES, NEUTRAL_FRAMES
from livelink_bridge.reporting.metrics import Status
from livelink_bridge.session.modes.play import play, run_play
from livelink_bridge.session.offline import convert_file
from livelink_bridge.session.outputs import Outputs
from livelink_bridge.session.playback import speaker as speaker_module
from livelink_bridge.session.playback.speaker import Speaker
from livelink_bridge.sources import open_source
from livelink_bridge.testing.shared_clock import SharedClock
from livelink_bridge.testing.stand_ins import CollectSink, FakePortAudio, ListSource, LoudnessModel
from livelink_bridge.wire.livelink import decode

JAW = CHANNELS_61.index("JawOpen")
TAIL = HOLD_FRAMES + DECAY_FRAMES + NEUTRAL_FRAMES
NOWHERE = Outputs((), "Talker")


def play_to(sink: CollectSink, path: Path, **options):
    clock = SharedClock()
    source = open_source(str(path), clock=clock)
    stop = options.pop("stop", threading.Event())
    model = options.pop("model", LoudnessModel())
    return play(source, model, Face(), NOWHERE, [sink], speaker=None, clock=clock, stop=stop, **options)


def test_what_play_sends_is_what_convert_writes(voice, tmp_path):
    sink = CollectSink("arkit")
    summary = play_to(sink, voice)
    convert_file(voice, tmp_path / "voice.csv", LoudnessModel(), Face())
    take = read_take(tmp_path / "voice.csv")
    np.testing.assert_allclose(sink.weights, take.values, atol=1e-6)
    np.testing.assert_allclose(take.times_s, np.arange(72 + TAIL) / 60, atol=1e-4)
    assert summary.sent == sink.sent > TAIL
    assert take.values[:, JAW].max() > 0.5
    assert (summary.gaps, summary.bad_poses) == (0, 0)


def test_packets_leave_for_the_wire_evenly_and_end_neutral(voice):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        outputs = Outputs((f"livelink://127.0.0.1:{receiver.getsockname()[1]}",), "Talker")
        statuses: list[Status] = []
        summary = run_play(
            voice,
            LoudnessModel(),
            Face(),
            outputs,
            audio=False,
            clock=SharedClock(),
            stop=threading.Event(),
            on_status=statuses.append,
        )
        packets = [decode(receiver.recv(2000)) for _ in range(summary.sent)]
    assert (np.diff([packet.frame for packet in packets]) >= 1).all()
    assert max(packet.values[JAW] for packet in packets) > 0.5
    assert not any(packet.values.any() for packet in packets[-NEUTRAL_FRAMES:])
    assert {packet.device_id for packet in packets} == {packets[0].device_id}
    assert statuses[-1].state == "playing"
    assert statuses[-1].sent <= summary.sent


def test_interrupting_play_ends_neutral_and_soon(voice):
    sink, stop = CollectSink(), threading.Event()
    play_to(sink, voice, stop=stop, on_status=lambda status: status.sent > 20 and stop.set())
    assert sink.sent < 72 + TAIL - 12
    assert not sink.weights[-NEUTRAL_FRAMES:].any()


def test_an_exception_while_watching_ends_neutral_too(voice):
    sink = CollectSink()

    def fail(status: Status) -> None:
        if status.sent > 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play_to(sink, voice, on_status=fail)
    assert not sink.weights[-NEUTRAL_FRAMES:].any()
    assert not [thread for thread in threading.enumerate() if thread.name in ("model", "sender")]


def test_a_model_that_fails_ends_neutral_and_is_named(voice):
    class Failing(LoudnessModel):
        def stream(self):
            stream = super().stream()
            push, calls = stream.push, [0]

            def sometimes(samples):
                calls[0] += 1
                if calls[0] > 5:
                    raise ArithmeticError("no more")
                return push(samples)

            stream.push = sometimes
            return stream

    sink = CollectSink()
    with pytest.raises(ArithmeticError, match="no more") as failure:
        play_to(sink, voice, model=Failing())
    assert failure.value.__notes__ == ["in stage 'model'"]
    assert sink.sent == 0 or not sink.weights[-NEUTRAL_FRAMES:].any()


@pytest.mark.parametrize("samples", [1, 100])
def test_hardly_any_sound_is_a_neutral_take_and_a_neutral_session(tmp_path, samples):
    soundfile.write(tmp_path / "short.wav", np.zeros(samples), 48000)
    summary = convert_file(tmp_path / "short.wav", tmp_path / "short.csv", LoudnessModel(), Face())
    values = read_take(tmp_path / "short.csv").values
    assert len(values) >= 37
    assert not values.any()
    assert summary.takes == (str(tmp_path / "short.csv"),)
    sink = CollectSink()
    play_to(sink, tmp_path / "short.wav")
    assert sink.sent >= NEUTRAL_FRAMES
    assert not sink.weights.any()


def test_a_file_that_is_not_there_stops_before_anything_is_sent(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        run_play(
            tmp_path / "none.wav",
            LoudnessModel(),
            Face(),
            NOWHERE,
            audio=True,
            clock=SharedClock(),
            stop=threading.Event(),
        )


def test_without_a_sound_output_play_goes_on_silently(voice, monkeypatch, caplog):
    def none(*_args: object, **_options: object) -> None:
        raise DeviceError("no audio output: no devices")

    monkeypatch.setattr(speaker_module, "Speaker", none)
    summary = run_play(voice, LoudnessModel(), Face(), NOWHERE, audio=True, clock=SharedClock(), stop=threading.Event())
    assert summary.sent > TAIL
    assert [record.getMessage() for record in caplog.records] == ["no audio output: no devices; going on without sound"]


def test_a_sound_output_that_never_plays_does_not_hold_up_the_face(voice, monkeypatch, caplog):
    monkeypatch.setattr(speaker_module, "_FIRST_SOUND_S", 0.05)
    clock, sink, stop, devices = SharedClock(), CollectSink(), threading.Event(), FakePortAudio()
    speaker = Speaker(open_source(str(voice), clock=clock), block_s=0.1, clock=clock, system=SoundSystem(devices))
    play(
        open_source(str(voice), clock=clock),
        LoudnessModel(),
        Face(),
        NOWHERE,
        [sink],
        speaker=speaker,
        clock=clock,
        stop=stop,
        on_status=lambda status: status.sent > 300 and stop.set(),
    )
    assert sink.weights[:, JAW].max() > 0.5
    assert not stop.is_set()
    assert devices.streams[0].closed
    assert "does not begin to play; going on without sound" in caplog.text


def test_a_recording_that_is_damaged_on_the_way_is_played_up_to_there():
    tone = (0.3 * np.sin(np.arange(16000) / 12)).astype(np.float32)
    blocks = list(ListSource.of_samples(tone, 16000, 1600).blocks())
    sink = CollectSink("arkit")
    with pytest.raises(SourceError, match="damaged"):
        play(
            ListSource(blocks, failure=SourceError("damaged after 1.0 s")),
            LoudnessModel(),
            Face(),
            NOWHERE,
            [sink],
            speaker=None,
            clock=SharedClock(),
            stop=threading.Event(),
        )
    jaw = np.array([weights[JAW] for weights in sink.weights])
    assert (jaw > 0.2).sum() > 40, "a second of sound is sixty poses, all read before the damage was met"
    assert not sink.weights[-1].any()
