import socket
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from arkit_mapping import CHANNELS_61
from arkit_mapping.takes.csv import read_take
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.devices.portaudio import SoundSystem
from livelink_bridge.errors import DeviceError, SinkError, SourceError, UsageError
from livelink_bridge.face.face import Face
from livelink_bridge.face.jitter_buffer import DECAY_FRAMES, HOLD_FRAMES, NEUTRAL_FRAMES
from livelink_bridge.remote_control.server import Server
from livelink_bridge.reporting.metrics import Status
from livelink_bridge.session.modes import microphone
from livelink_bridge.session.modes.follow import follow
from livelink_bridge.session.modes.microphone import run_live
from livelink_bridge.session.modes.play import play, run_play
from livelink_bridge.session.offline import convert_file
from livelink_bridge.session.outputs import Outputs, open_sinks
from livelink_bridge.session.playback import speaker as speaker_module
from livelink_bridge.session.playback.speaker import Speaker
from livelink_bridge.session.remote import Direction
from livelink_bridge.sources import open_source
from livelink_bridge.sources.microphone import Input
from livelink_bridge.testing.shared_clock import SharedClock
from livelink_bridge.testing.stand_ins import CollectSink, FakePortAudio, ListSource, LoudnessModel
from livelink_bridge.wire.livelink import decode

JAW = CHANNELS_61.index("JawOpen")
TAIL = HOLD_FRAMES + DECAY_FRAMES + NEUTRAL_FRAMES
NOWHERE = Outputs((), "Talker")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    at_s = np.arange(round(1.2 * 44100)) / 44100
    sound = 0.2 * np.sin(2 * np.pi * 200 * at_s) * (np.sin(2 * np.pi * 2 * at_s) > 0)
    soundfile.write(tmp_path / "voice.wav", np.stack([sound, sound], axis=1), 44100)
    return tmp_path / "voice.wav"


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


def test_converting_reports_its_progress_and_makes_the_folder(tmp_path):
    soundfile.write(tmp_path / "long.flac", np.zeros(8000 * 35), 8000)
    parts: list[float] = []
    convert_file(
        tmp_path / "long.flac", tmp_path / "new" / "long.csv", LoudnessModel(), Face(), on_progress=parts.append
    )
    assert parts == pytest.approx([10 / 35, 20 / 35, 30 / 35, 1.0])
    assert len(read_take(tmp_path / "new" / "long.csv").values) == 35 * 60 + TAIL


def test_an_interrupted_conversion_leaves_no_file(voice, tmp_path):
    def interrupt(_part: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_file(voice, tmp_path / "out" / "take.csv", LoudnessModel(), Face(), on_progress=interrupt)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_take_that_cannot_be_written_is_one_line(voice, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot be written"):
        convert_file(voice, tmp_path / "file" / "take.csv", LoudnessModel(), Face())


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


@pytest.mark.parametrize("fps", [0, 61, -5])
def test_an_impossible_rate_is_a_usage_error(fps):
    with pytest.raises(UsageError, match="fps, expected"):
        Outputs((), "Talker", fps)


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


class PacedSource(ListSource):
    """Hands over each block when its last sample was spoken."""

    def __init__(self, clock, blocks, *, failure=None):
        super().__init__(blocks, live=True, failure=failure)
        self._clock = clock

    def blocks(self):
        stop, opened_s = threading.Event(), self._clock.now()
        for block in super().blocks():
            self._clock.wait_until(opened_s + block.end / block.sample_rate, stop)
            yield AudioBlock(block.samples, block.sample_rate, block.start, self._clock.now())


def paced(clock: SharedClock, seconds: float, failure: Exception | None = None) -> PacedSource:
    at_s = np.arange(round(seconds * 48000)) / 48000
    blocks = ListSource.of_samples((0.2 * np.sin(2 * np.pi * 200 * at_s)).astype(np.float32), 48000, 200)
    return PacedSource(clock, list(blocks.blocks()), failure=failure)


def test_live_sound_moves_the_face_and_when_the_microphone_fails_it_rests(caplog):
    clock, sink, stop = SharedClock(), CollectSink(), threading.Event()
    statuses: list[Status] = []

    def watch(status: Status) -> None:
        statuses.append(status)
        if status.sent > 120:
            stop.set()

    source = paced(clock, 1.0, failure=DeviceError("microphone 'Desk' stopped"))
    summary = follow(source, LoudnessModel(), Face(), NOWHERE, [sink], clock=clock, stop=stop, on_status=watch)
    jaw = sink.weights[:, JAW]
    assert jaw.max() > 0.5
    assert not sink.weights[-NEUTRAL_FRAMES:].any()
    assert sink.sent > 120
    assert {"live", "no sound: microphone 'Desk' stopped"} <= {status.state for status in statuses}
    assert summary.delay_ms == pytest.approx(1000 * 4 / 60 + 0.3, abs=0.01), (
        "the look-ahead and what keeps a tick from the edge"
    )
    assert summary.gaps == 0
    assert "the face stays neutral" in caplog.text


def test_a_remote_control_that_fails_is_said_once_and_the_face_goes_on(monkeypatch, caplog):
    """A bug in what stands beside the show does not end it."""
    clock, sink, stop, failed = SharedClock(), CollectSink(), threading.Event(), threading.Event()

    def fail(_server) -> None:
        failed.set()
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr(Server, "_receive", fail)

    def watch(status: Status) -> None:
        if failed.is_set() and status.sent > 60:
            stop.set()

    outputs = Outputs((), "Talker", directed=True)
    follow(
        paced(clock, 1.5),
        LoudnessModel(),
        Face(),
        outputs,
        [sink],
        clock=clock,
        stop=stop,
        on_status=watch,
        direction=Direction(0),
    )
    assert stop.is_set(), "it ran until it was told to stop"
    assert not sink.weights[-NEUTRAL_FRAMES:].any()
    assert [record.getMessage() for record in caplog.records if "has failed" in record.getMessage()] == [
        "remote control has failed: ZeroDivisionError: a mistake of ours; going on without it"
    ]


def test_a_microphone_that_is_not_there_stops_before_anything_is_sent(monkeypatch):
    def none(*_args: object, **_options: object) -> None:
        raise DeviceError("no microphone")

    monkeypatch.setattr(microphone, "MicrophoneSource", none)
    with pytest.raises(DeviceError, match="no microphone"):
        run_live(Input(), LoudnessModel(), Face(), NOWHERE, clock=SharedClock(), stop=threading.Event())


def test_sinks_are_closed_whatever_happens(tmp_path):
    outputs = Outputs((f"take:{tmp_path / 'takes'}", "livelink://127.0.0.1:0"), "Talker")
    with pytest.raises(UsageError), open_sinks(outputs):
        pass
    assert list((tmp_path / "takes").iterdir()) == []


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
