"""The doctor: each thing that has to be right, found right and found wrong, with what to do about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from livelink_bridge import doctor
from livelink_bridge.cli import run
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.doctor import probe
from livelink_bridge.doctor.checks import microphone as microphone_module
from livelink_bridge.doctor.checks import names, program
from livelink_bridge.doctor.checks.machine import Machine
from livelink_bridge.errors import DeviceError
from livelink_bridge.session import build
from livelink_bridge.sources import microphone
from livelink_bridge.sources.microphone import Input
from livelink_bridge.testing.stand_ins import CollectSink, ListSource, LoudnessModel, ManualClock
from livelink_bridge.timing.stamp import Stamp
from speech_to_face.base import Coefficients, ModelError, Samples


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


@pytest.mark.parametrize(
    ("version", "level"), [((3, 10, 9), "fail"), ((3, 11, 0), "ok"), ((3, 13, 4), "ok"), ((3, 14, 0), "fail")]
)
def test_python_must_be_one_of_the_supported(version: tuple[int, ...], level: str) -> None:
    assert program.python(version).level == level


def test_an_installed_package_is_named_with_its_version_and_a_missing_one_fails() -> None:
    assert (program.package("numpy").level, program.package("numpy").text) == ("ok", np.__version__)
    missing = program.package("no-such-package-as-this")
    assert missing.level == "fail" and "scripts/demo" in missing.text


def test_a_model_that_loads_and_keeps_up_is_ok_with_its_device_and_lookahead() -> None:
    found = program.model(LoudnessModel, ManualClock())
    assert found.level == "ok" and "loudness on cpu, look-ahead 67 ms" in found.text


def test_a_model_slower_than_sound_is_a_warning() -> None:
    clock = ManualClock()
    found = program.model(lambda: SlowModel(clock), clock)
    assert found.level == "warn" and "1 s of audio in 1500 ms" in found.text


def test_a_damaged_model_fails_with_its_own_words() -> None:
    found = program.model(refuses(ModelError("model.safetensors: damaged")), ManualClock())  # type: ignore[arg-type]
    assert (found.level, found.text) == ("fail", "model.safetensors: damaged")


def test_a_microphone_that_hears_is_ok_with_its_level() -> None:
    found = microphone_module.audio_input(lambda: silence(0.1))
    assert found.level == "ok" and "level -20 dBFS" in found.text


def test_a_microphone_that_hears_only_zeros_is_a_warning() -> None:
    found = microphone_module.audio_input(silence)
    assert found.level == "warn" and "unmute" in found.text


def test_a_microphone_that_delivers_nothing_is_a_warning() -> None:
    found = microphone_module.audio_input(lambda: ListSource([]))
    assert found.level == "warn" and "delivers no audio" in found.text


def test_no_microphone_is_a_warning_because_files_still_play() -> None:
    found = microphone_module.audio_input(refuses(DeviceError("no microphone")))  # type: ignore[arg-type]
    assert found.level == "warn" and "no microphone (play and convert work without)" in found.text


def test_hearing_ends_after_half_a_second_of_sound() -> None:
    taken: list[AudioBlock] = []

    class Endless(ListSource):
        def blocks(self) -> Iterator[AudioBlock]:
            for start in range(0, 10**9, 160):
                taken.append(AudioBlock(np.full(160, 0.1, np.float32), 16000, start, 0.0))
                yield taken[-1]

    assert microphone_module.audio_input(lambda: Endless([])).level == "ok"
    assert len(taken) * 160 == microphone_module.LISTEN_S * 16000


def test_a_packet_to_ourselves_arrives_and_is_one_that_unreal_would_show() -> None:
    expected = doctor.Finding("ok", "packet to ourselves", "sent, received and decoded as Unreal would")
    assert probe.loopback_packet() == expected


def test_a_packet_that_never_arrives_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "open_sink", lambda uri, **_: CollectSink())
    monkeypatch.setattr(probe, "ANSWER_S", 0.05)
    found = probe.loopback_packet()
    assert found.level == "fail" and "firewall" in found.text


def test_a_packet_that_arrives_changed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = probe.open_sink

    class Meddler:
        def __init__(self, uri: str) -> None:
            self._sink = genuine(uri, subject="x", device_id="y" * 36)

        def send(self, weights: np.ndarray, stamp: Stamp) -> None:
            self._sink.send(weights * np.float32(0.5), stamp)

        def close(self) -> None:
            self._sink.close()

    monkeypatch.setattr(probe, "open_sink", lambda uri, **_: Meddler(uri))
    assert "arrived changed" in probe.loopback_packet().text


def examined(monkeypatch: pytest.MonkeyPatch, model: Callable[..., object], *options: str) -> int:
    """Exit code of the command, without a microphone."""
    monkeypatch.setattr(doctor, "open_source", lambda uri, **_: silence(0.1))
    monkeypatch.setattr(build, "model_of", model)
    return run(["doctor", "--seconds", "0", *options])


def no_model(settings: object) -> object:
    raise ModelError("model.safetensors: damaged")


def test_the_command_passes_where_nothing_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], free_port: int
) -> None:
    target = f"livelink://127.0.0.1:{free_port}"
    assert examined(monkeypatch, lambda settings: LoudnessModel(), "--to", target, "--subject", "Ada") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[6:].partition(": ")[0] for line in lines] == [
        *(
            "Python",
            "torch",
            "model",
            "audio input",
            "subject",
            target,
            f"other senders to {free_port}",
            "firewall",
            "packet to ourselves",
        ),
        *("Unreal's source", "Unreal's subject", "Unreal's editor", "Unreal's face"),
    ]
    assert lines[5].startswith("warn") and lines[9].startswith("note") and "'Ada'" in lines[10]


def test_the_command_fails_with_1_where_anything_does_and_still_says_the_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], free_port: int
) -> None:
    assert examined(monkeypatch, no_model, "--to", f"livelink://127.0.0.1:{free_port}") == 1
    out = capsys.readouterr().out
    assert "FAIL  model: model.safetensors: damaged" in out and "packet to ourselves" in out


def test_the_command_writes_a_json_object_for_each_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], free_port: int
) -> None:
    assert examined(monkeypatch, no_model, "--to", f"osc://127.0.0.1:{free_port}", "--json") == 1
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(set(finding) == {"level", "what", "text"} for finding in found)
    assert {"level": "fail", "what": "model", "text": "model.safetensors: damaged"} in found
    assert not any(finding["what"].startswith("Unreal's") for finding in found), "nothing goes to Unreal"


def test_each_performers_microphone_subject_and_receivers_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show = tmp_path / "show.yaml"
    show.write_text(
        "to: ['osc://127.0.0.1:9']\n"
        "performers:\n- {mic: Left, subject: Ada}\n- {mic: Right, channels: [3], subject: Eve, to: "
        "['osc://127.0.0.1:7']}\n"
    )
    asked: list[Input] = []
    monkeypatch.setattr(microphone, "MicrophoneSource", lambda wanted, **_: asked.append(wanted) or silence(0.1))
    assert examined(monkeypatch, lambda _settings: LoudnessModel(), "--config", str(show), "--json") == 0
    found = [json.loads(line)["what"] for line in capsys.readouterr().out.splitlines()]
    assert asked == [Input("Left"), Input("Right", (3,))]
    assert [what for what in found if what[:5] in ("audio", "subje", "osc:/")] == [
        *("audio input of Ada", "audio input of Eve", "subject", "subject", "osc://127.0.0.1:9", "osc://127.0.0.1:7")
    ]


def test_every_check_is_made_in_the_order_of_the_road(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "open_source", lambda uri, **_: silence(0.1))
    uris = (f"take:{tmp_path}", "osc://127.0.0.1:9", "oscc://127.0.0.1:9", "vmc://no.such.host.invalid:39539")
    found = list(
        doctor.examine(
            uris, LoudnessModel, MonotonicClock(), listen_s=0, machine=Machine(tmp_path, "linux", lambda *_: None)
        )
    )
    assert [finding.what for finding in found][4:] == [
        *("subject", f"take:{tmp_path}", "osc://127.0.0.1:9", "receiver", "vmc://no.such.host.invalid:39539"),
        *("other senders to 9", "firewall", "packet to ourselves"),
    ]
    assert [finding.level for finding in found][7:9] == ["fail", "fail"]
    assert all("\n" not in finding.text for finding in found)


@pytest.mark.parametrize("target", ["livelink://127.0.0.1:70000", "livelink://[::1", "livelink:"])
def test_a_malformed_receiver_fails(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "open_source", lambda uri, **_: silence(0.1))
    found = doctor.examine((target,), LoudnessModel, MonotonicClock(), listen_s=0)
    assert [finding.level for finding in found if finding.what == "receiver"] == ["fail"]


@pytest.mark.parametrize(
    ("subject", "level", "said"),
    [
        ("LiveLinkBridge", "ok", "ARKit Face Subj"),
        ("None", "fail", "not a valid name in Unreal"),
        (" ", "fail", "not a valid name in Unreal"),
        ("A\0B", "fail", "not a valid name in Unreal"),
        ("J\u00f6rg", "warn", "beyond ASCII"),
        ("My_Slate_3_Ada", "warn", "importer cuts"),
        ("Ada ", "warn", "space"),
        ("A" * 65, "warn", "65 bytes"),
    ],
)
def test_a_subjects_name_is_looked_at(subject: str, level: str, said: str) -> None:
    found = names.subject_name(subject)
    assert found.level == level and said in found.text
