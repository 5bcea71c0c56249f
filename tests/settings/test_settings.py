"""Settings: which layer wins, what is refused and how, and that what is printed can be read back."""

from __future__ import annotations

import re
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import pytest

from livelink_bridge.errors import BridgeError, ConfigError
from livelink_bridge.settings.loading import as_yaml, checked, load_settings
from livelink_bridge.settings.performers import performers_of
from livelink_bridge.settings.table import NOT_SETTINGS, TABLE, Settings

ROOT = Path(__file__).parents[2]


def write(folder: Path, text: str) -> Path:
    path = folder / "bridge.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_anything_given_the_defaults_hold() -> None:
    settings = load_settings({}, environ={})
    assert settings == Settings()
    assert settings.targets == ("livelink://127.0.0.1:11111",)
    assert (settings.fps, settings.model, settings.device, settings.lookahead) == (60, "pmmtalk-live", "auto", None)


def test_each_layer_overrules_the_one_before(tmp_path: Path) -> None:
    file = write(tmp_path, "subject: File\ndevice: cpu\nfps: 30\n")
    environ = {"LIVELINK_BRIDGE_DEVICE": "cuda", "LIVELINK_BRIDGE_FPS": "25"}
    settings = load_settings({"fps": 20, "device": None}, file=file, environ=environ)
    assert (settings.subject, settings.device, settings.fps, settings.model) == ("File", "cuda", 20, "pmmtalk-live")


def test_the_settings_file_may_be_named_by_the_environment_and_a_flag_wins(tmp_path: Path) -> None:
    named = {"LIVELINK_BRIDGE_CONFIG": str(write(tmp_path, "subject: Named\n"))}
    assert load_settings({}, environ=named).subject == "Named"
    other = tmp_path / "other.yaml"
    other.write_text("subject: Other\n", encoding="utf-8")
    assert load_settings({}, file=other, environ=named).subject == "Other"


def test_several_targets_come_as_a_list_or_separated_by_spaces_and_replace_the_default(tmp_path: Path) -> None:
    two = ("livelink://a:1", "osc://b:2")
    assert load_settings({}, file=write(tmp_path, "to: [livelink://a:1, osc://b:2]\n"), environ={}).to == two
    assert load_settings({}, environ={"LIVELINK_BRIDGE_TO": "livelink://a:1 osc://b:2"}).to == two
    assert load_settings({"to": ["osc://b:2"]}, environ={"LIVELINK_BRIDGE_TO": "livelink://a:1"}).to == ("osc://b:2",)
    assert load_settings({"to": []}, environ={"LIVELINK_BRIDGE_TO": "livelink://a:1"}).to == ("livelink://a:1",)


def test_record_adds_a_take_to_the_targets() -> None:
    assert load_settings({"record": Path("takes")}, environ={}).targets == ("livelink://127.0.0.1:11111", "take:takes")


def test_what_is_printed_reads_back_to_the_same_settings(tmp_path: Path) -> None:
    settings = Settings(
        to=("osc://a:1", "livelink://b:2"),
        record=Path("takes"),
        subject="Jörg",
        fps=Fraction(30000, 1001),
        character=Path("ada.yaml"),
    )
    assert load_settings({}, file=write(tmp_path, as_yaml(settings)), environ={}) == settings
    assert load_settings({}, file=write(tmp_path, as_yaml(Settings())), environ={}) == Settings()


def test_an_unknown_key_in_the_file_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"unknown setting subjcet in .*bridge\.yaml \(did you mean subject\?\); expected one of to, "
    ):
        load_settings({}, file=write(tmp_path, "subjcet: Ada\n"), environ={})


def test_an_unknown_name_in_the_environment_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(
        ConfigError, match=r"LIVELINK_BRIDGE_MODLE in the environment \(did you mean LIVELINK_BRIDGE_MODEL\?\)"
    ):
        load_settings({}, environ={"LIVELINK_BRIDGE_MODLE": "x"})


def test_names_in_the_environment_that_mean_something_else_are_left_alone() -> None:
    others = {f"LIVELINK_BRIDGE_{name}": "x" for name in NOT_SETTINGS - {"CONFIG"}}
    assert load_settings({}, environ={**others, "UNRELATED": "y", "LIVELINK_BRIDGE_SUBJECT": ""}) == Settings()


def test_no_name_that_the_project_itself_reads_is_an_unknown_setting() -> None:
    folders = ("livelink_bridge", "models", "scripts", "benchmarks", "examples", "tests")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    reading = re.compile(r'environ(?:\.get\(|\[)"LIVELINK_BRIDGE_(\w+)"')
    read = {name for file in files for name in reading.findall(file.read_text(encoding="utf-8"))}
    assert {"HOME", "DATA", "SCORER", "PICTURES", "TORCH_INDEX"} <= read
    assert {name for name in read if name.lower() not in asdict(Settings())} <= NOT_SETTINGS


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ({"fps": 0}, "fps in the flags: got 0, expected a number from 1 to 60"),
        ({"fps": 61}, "from 1 to 60"),
        ({"fps": "1/0"}, "from 1 to 60"),
        ({"timecode": "gps"}, "got 'gps', expected time-of-day or ntp or zero"),
        ({"timecode_rate": "29.97fd"}, "expected 23.976 or 24 or"),
        ({"fps": True}, "from 1 to 60"),
        ({"device": "tpu"}, "expected auto or cpu or cuda or mps"),
        ({"lookahead": 50}, "expected 33 or 67"),
        ({"subject": "  "}, "printable"),
        ({"subject": "a\nb"}, "printable"),
        ({"subject": "None"}, "no name at all"),
        ({"subject": "ö" * 51}, "at most 100 bytes"),
        ({"model": ""}, "a name"),
        ({"to": [""]}, "one URI or a list"),
        ({"to": [7]}, "one URI or a list"),
        ({"style": 3}, "a name"),
        ({"character": 3}, "a path"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_what_was_got_and_expected(flags: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(flags, environ={})
    assert says in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_whole_number_may_be_written_as_a_float(tmp_path: Path) -> None:
    file = write(tmp_path, "seed: 7.0\ncontrol: 11111.0\nchannels: [3.0, 4]\nlookahead: 33.0\ntimecode_rate: 24.0\n")
    settings = load_settings({}, file=file, environ={})
    assert (settings.seed, settings.control, settings.channels) == (7, 11111, (3, 4))
    assert (settings.lookahead, settings.timecode_rate) == (33, "24")
    assert load_settings({}, file=write(tmp_path, "channels: 3.0\ntimecode_rate: 29.97"), environ={}).channels == (3,)


@pytest.mark.parametrize(
    "text",
    ["seed: 7.5", "seed: .nan", "seed: true", "seed: -1", "control: 80.5", "channels: [1.5]", "channels: [.inf]"],
)
def test_a_fraction_is_no_whole_number(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=f"{text.partition(':')[0]} in .*got .*expected"):
        load_settings({}, file=write(tmp_path, text), environ={})


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n", "a: [b\n", "\0"])
def test_a_file_that_holds_no_settings_is_refused_on_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings({}, file=write(tmp_path, text), environ={})
    assert "bridge.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert load_settings({}, file=write(tmp_path, "# nothing\n"), environ={}) == Settings()


def test_a_file_that_is_not_there_is_a_runtime_error_not_a_usage_error(tmp_path: Path) -> None:
    for missing in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(BridgeError) as caught:
            load_settings({}, file=missing, environ={})
        assert caught.value.exit_code == 1


def test_every_setting_is_explained_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [key for key in TABLE if f"`{key}`" not in page] == []


def performers(tmp_path: Path, text: str) -> list[tuple[str | None, Settings]]:
    return performers_of(load_settings({}, file=write(tmp_path, text), environ={}))


def test_each_performer_has_the_files_settings_but_for_its_own(tmp_path: Path) -> None:
    text = (
        "gain: 3\nperformers:\n- {mic: Yeti, subject: Ada}\n- {subject: Ben, gain: -2, channels: [3], to: "
        "['osc://a:1']}\n"
    )
    (first, ada), (second, ben) = performers(tmp_path, text)
    assert (first, ada.subject, ada.gain, ada.channels) == ("Yeti", "Ada", 3, ())
    assert (second, ben.subject, ben.gain, ben.channels, ben.to) == (None, "Ben", -2, (3,), ("osc://a:1",))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("performers: Ada\n", "expected a list of performers"),
        ("performers:\n- {sujet: Ada}\n", r"not sujet \(did you mean subject\?\)"),
        ("performers:\n- {model: other}\n", "of performer 1 mic, subject"),
        ("performers:\n- {subject: Ada, fps: 99}\n", "fps of performer 1 to be a number from 1 to 60, such as"),
        ("performers:\n- {subject: Ada}\n- {subject: ada}\n", "two are called 'ada'"),
    ],
)
def test_a_performer_that_cannot_be_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        performers(tmp_path, text)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ({"mood": "hapy"}, "did you mean happy"),
        ({"gain": 41}, "a number from -40 to 40 dB"),
        ({"channels": "0"}, "channel numbers from 1"),
        ({"liveliness": "maybe"}, "expected true or false"),
        ({"seed": -1}, "a whole number from 0"),
        ({"face_delay": "x"}, "a number from 0 to 500 ms"),
        ({"gate": "open"}, "auto or voice or level or off"),
    ],
)
def test_what_a_face_or_a_voice_cannot_be_told_is_one_line(flags: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_settings(flags, environ={})


NONSENSE: tuple[object, ...] = (
    None,
    "",
    -1,
    1e9,
    float("nan"),
    "x",
    "hapy",
    "happy:7",
    "sad,sad",
    [],
    {},
    ["a"],
    [{}],
    [{"mood": "hapy"}],
    "é" * 90,
)


@pytest.mark.parametrize("key", TABLE)
def test_what_a_setting_cannot_be_is_said_once(key: str) -> None:
    refused = 0
    for value in NONSENSE:
        try:
            checked(key, value)
        except ConfigError as error:
            refused += 1
            said = str(error)
            assert said.startswith(f"{key}: got {value!r}, expected ") and "\n" not in said
            told = said.removeprefix(f"{key}: got {value!r}, expected ")
            assert not re.search(r"\b(got|expected|unknown)\b", told), said
            assert f"{key}:" not in told, said
    assert refused
