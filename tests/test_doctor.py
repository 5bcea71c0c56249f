"""The doctor: each thing that has to be right, found right and found wrong, with what to do about it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from livelink_bridge import doctor
from livelink_bridge.arrivals import Arrivals
from livelink_bridge.cli import run
from livelink_bridge.clock import MonotonicClock
from livelink_bridge.commands import session
from livelink_bridge.errors import DeviceError
from livelink_bridge.frames import AudioBlock
from livelink_bridge.sinks.base import Stamp
from livelink_bridge.testing import CollectSink, ListSource, LoudnessModel, ManualClock
from models.base import Coefficients, ModelError, Samples


class SlowModel(LoudnessModel):
    """Takes longer than the sound lasts, on the clock it is given."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def animate(self, samples: Samples) -> Coefficients:
        self._clock.advance(1.5)
        return super().animate(samples)


def silence(level: float = 0.0) -> ListSource:
    return ListSource.of_samples(np.full(16000, level, np.float32), 16000, 160)


def refuses(error: Exception) -> Callable[[], object]:
    def fail() -> object:
        raise error

    return fail


@pytest.mark.parametrize(("version", "level"), [((3, 10, 9), "fail"), ((3, 11, 0), "ok"), ((3, 13, 4), "ok"), ((3, 14, 0), "fail")])
def test_python_must_be_one_of_the_supported(version: tuple[int, ...], level: str) -> None:
    assert doctor.python(version).level == level


def test_an_installed_package_is_named_with_its_version_and_a_missing_one_fails() -> None:
    assert (doctor.package("numpy").level, doctor.package("numpy").text) == ("ok", np.__version__)
    missing = doctor.package("no-such-package-as-this")
    assert missing.level == "fail" and "scripts/demo" in missing.text


def test_a_model_that_loads_and_keeps_up_is_ok_with_its_device_and_lookahead() -> None:
    found = doctor.model(LoudnessModel, ManualClock())
    assert found.level == "ok" and "loudness on cpu, look-ahead 67 ms" in found.text


def test_a_model_slower_than_sound_is_a_warning() -> None:
    clock = ManualClock()
    found = doctor.model(lambda: SlowModel(clock), clock)
    assert found.level == "warn" and "1 s of sound in 1500 ms" in found.text


def test_a_damaged_model_fails_with_its_own_words() -> None:
    found = doctor.model(refuses(ModelError("model.safetensors: damaged")), ManualClock())  # type: ignore[arg-type]
    assert (found.level, found.text) == ("fail", "model.safetensors: damaged")


def test_a_microphone_that_hears_is_ok_with_its_level() -> None:
    found = doctor.audio_input(lambda: silence(0.1))
    assert found.level == "ok" and "level -20 dBFS" in found.text


def test_a_microphone_that_hears_only_zeros_is_a_warning() -> None:
    found = doctor.audio_input(silence)
    assert found.level == "warn" and "unmute" in found.text


def test_a_microphone_that_hands_over_nothing_is_a_warning() -> None:
    found = doctor.audio_input(lambda: ListSource([]))
    assert found.level == "warn" and "hands over no sound" in found.text


def test_no_microphone_is_a_warning_because_files_still_play() -> None:
    found = doctor.audio_input(refuses(DeviceError("no microphone")))  # type: ignore[arg-type]
    assert found.level == "warn" and "no microphone (play and convert work without)" in found.text


def test_hearing_ends_after_half_a_second_of_sound() -> None:
    taken: list[AudioBlock] = []

    class Endless(ListSource):
        def blocks(self) -> Iterator[AudioBlock]:
            for start in range(0, 10**9, 160):
                taken.append(AudioBlock(np.full(160, 0.1, np.float32), 16000, start, 0.0))
                yield taken[-1]

    assert doctor.audio_input(lambda: Endless([])).level == "ok"
    assert len(taken) * 160 == doctor.LISTEN_S * 16000


def test_a_local_port_is_ok_when_somebody_has_it_and_a_warning_when_nobody_does() -> None:
    with Arrivals(0, "127.0.0.1") as listening:
        port = listening.port
        assert doctor.receiver(f"livelink://127.0.0.1:{port}").level == "ok"
    free = doctor.receiver(f"livelink://127.0.0.1:{port}")
    assert free.level == "warn" and f"monitor --port {port}" in free.text


def test_a_port_that_a_program_has_for_itself_alone_is_in_use_too() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alone:
        alone.bind(("127.0.0.1", 0))
        assert doctor.receiver(f"osc://127.0.0.1:{alone.getsockname()[1]}").level == "ok"


def test_another_machine_is_looked_up_and_an_unknown_one_fails() -> None:
    assert "192.0.2.7" in doctor.receiver("livelink://192.0.2.7:11111").text
    assert doctor.receiver("livelink://no.such.host.invalid:11111").level == "fail"


@pytest.mark.parametrize("target", ["livelink://127.0.0.1:70000", "livelink://[::1", "livelink:"])
def test_a_malformed_receiver_fails(target: str) -> None:
    assert doctor.receiver(target).level == "fail"


def test_a_take_folder_needs_no_receiver() -> None:
    assert doctor.receiver("take:takes").level == "ok"


def test_a_packet_to_ourselves_arrives_and_is_one_that_unreal_would_show() -> None:
    assert doctor.packet_to_ourselves() == doctor.Finding("ok", "packet to ourselves", "sent, received and decoded as Unreal would")


def test_a_packet_that_never_arrives_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "open_sink", lambda uri, **_: CollectSink())
    monkeypatch.setattr(doctor, "ANSWER_S", 0.05)
    found = doctor.packet_to_ourselves()
    assert found.level == "fail" and "firewall" in found.text


def test_a_packet_that_arrives_changed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = doctor.open_sink

    class Meddler:
        def __init__(self, uri: str) -> None:
            self._sink = genuine(uri, subject="x", device_id="y" * 36)

        def send(self, weights: np.ndarray, stamp: Stamp) -> None:
            self._sink.send(weights * np.float32(0.5), stamp)

        def close(self) -> None:
            self._sink.close()

    monkeypatch.setattr(doctor, "open_sink", lambda uri, **_: Meddler(uri))
    assert "arrived changed" in doctor.packet_to_ourselves().text


@pytest.fixture
def free_port() -> int:
    """One that anybody may open: the lowest thousand are for administrators."""
    with Arrivals(0, "127.0.0.1") as arrivals:
        return arrivals.port


def examined(monkeypatch: pytest.MonkeyPatch, model: Callable[..., object], port: int) -> int:
    """Exit code of the command, without a microphone."""
    monkeypatch.setattr(doctor, "open_source", lambda uri, **_: silence(0.1))
    monkeypatch.setattr(session, "model_of", model)
    return run(["doctor", "--to", f"livelink://127.0.0.1:{port}"])


def test_the_command_passes_where_nothing_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], free_port: int
) -> None:
    assert examined(monkeypatch, lambda settings: LoudnessModel(), free_port) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[6:].partition(": ")[0] for line in lines] == [
        "Python",
        "torch",
        "model",
        "audio input",
        f"livelink://127.0.0.1:{free_port}",
        "packet to ourselves",
    ]
    assert lines[4].startswith("warn")


def test_the_command_fails_with_1_where_anything_does_and_still_says_the_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], free_port: int
) -> None:
    def damaged(settings: object) -> object:
        raise ModelError("model.safetensors: damaged")

    assert examined(monkeypatch, damaged, free_port) == 1
    out = capsys.readouterr().out
    assert "FAIL  model: model.safetensors: damaged" in out and "packet to ourselves" in out


def test_every_check_is_made_in_the_order_of_the_road(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "open_source", lambda uri, **_: silence(0.1))
    found = [finding.what for finding in doctor.examine((f"take:{tmp_path}", "osc://127.0.0.1:9"), LoudnessModel, MonotonicClock())]
    assert found == ["Python", "torch", "model", "audio input", f"take:{tmp_path}", "osc://127.0.0.1:9", "packet to ourselves"]
