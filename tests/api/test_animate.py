"""`animate`: the frames that `convert` writes, from files and from arrays, and errors of one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from arkit_mapping import CHANNELS_61, MOUTH_32
from arkit_mapping.takes.csv import read_take
from livelink_bridge import Animation, animate
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.errors import BridgeError, ConfigError, SinkError, SourceError, UsageError
from livelink_bridge.session import build
from livelink_bridge.session.offline import convert_file
from livelink_bridge.settings.table import Settings
from livelink_bridge.testing.stand_ins import LoudnessModel
from speech_to_face.base import ModelError

RATE = 24000
ROOT = Path(__file__).parents[2]
MODEL = LoudnessModel()


def sound(seconds: float = 1.2, rate: int = RATE) -> np.ndarray:
    at_s = np.arange(round(seconds * rate)) / rate
    return (0.2 * np.sin(2 * np.pi * 200 * at_s) * (np.sin(2 * np.pi * 2 * at_s) > 0)).astype(np.float32)


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "voice.wav", sound(), RATE)
    return tmp_path / "voice.wav"


def converted(path: Path, out: Path, **options) -> bytes:
    """What the command writes of a file."""
    convert_file(path, out, LoudnessModel(), build.face_of(Settings(**options), MonotonicClock()))
    return out.read_bytes()


@pytest.mark.parametrize("seconds", [0.05, 1.2, 11.0])
def test_a_saved_csv_is_what_convert_writes_byte_for_byte(tmp_path, seconds):
    soundfile.write(tmp_path / "voice.wav", sound(seconds), RATE)
    animate(tmp_path / "voice.wav", model=MODEL).save(tmp_path / "new" / "ours.csv")
    assert (tmp_path / "new" / "ours.csv").read_bytes() == converted(tmp_path / "voice.wav", tmp_path / "theirs.csv")


def test_mood_seed_liveliness_and_character_are_those_of_convert(voice, tmp_path):
    wide = tmp_path / "wide.yaml"
    wide.write_text("gain: {jawOpen: 0.5}\n", encoding="utf-8")
    for at, options in enumerate([{"mood": "happy:0.4"}, {"seed": 7}, {"liveliness": False}, {"character": wide}]):
        animate(voice, model=MODEL, **options).save(tmp_path / "ours.csv")
        theirs = converted(voice, tmp_path / f"{at}.csv", **options)
        assert (tmp_path / "ours.csv").read_bytes() == theirs
        assert theirs != converted(voice, tmp_path / "plain.csv"), "the option does something"


def test_the_poses_of_an_array_are_those_of_its_file(voice):
    samples, _ = soundfile.read(voice, dtype="float32")
    from_file = animate(str(voice), model=MODEL)
    for given in (
        samples,
        samples.astype(np.float64),
        samples[:, None],
        np.stack([samples, samples], axis=1),
        samples.tolist(),
    ):
        np.testing.assert_allclose(animate(given, RATE, model=MODEL).poses, from_file.poses, atol=1e-6)
    whole = soundfile.read(voice, dtype="int16")[0]
    np.testing.assert_array_equal(animate(whole, np.int64(RATE), model=MODEL).poses, from_file.poses)


def test_an_animation_says_what_it_holds(voice):
    made = animate(voice, model=MODEL)
    assert isinstance(made, Animation)
    assert made.poses.dtype == np.float32 and made.poses.shape == (72 + 29, 61)
    assert made.names == CHANNELS_61 and made.seconds == pytest.approx(1.2)
    np.testing.assert_allclose(made.times_s[[0, 60]], [0, 1])
    assert made.coefficients.shape == (101, 32)
    np.testing.assert_array_equal(
        made.coefficients[:, MOUTH_32.index("jawOpen")], made.poses[:, CHANNELS_61.index("JawOpen")]
    )
    assert made.coefficients.max() > 0.3 and not made.poses[-1].any()


def test_a_take_is_saved_by_its_ending_over_what_was_there(voice, tmp_path):
    made = animate(voice, model=MODEL)
    for ending in (".csv", ".json", ".npz", ".glb"):
        for _ in range(2):
            made.save(tmp_path / f"take{ending}")
    np.testing.assert_allclose(read_take(tmp_path / "take.csv").values, made.poses, atol=1e-9)
    assert len(json.loads((tmp_path / "take.json").read_text())["frames"]) == len(made.poses)
    with np.load(tmp_path / "take.npz") as arrays:
        np.testing.assert_array_equal(arrays["values"], made.poses)
    assert (tmp_path / "take.glb").read_bytes()[:4] == b"glTF"


def test_a_failed_save_is_reported_and_leaves_no_file(voice, tmp_path):
    made = animate(voice, model=MODEL)
    with pytest.raises(UsageError, match="ends in .fbx, expected .csv, .json, .npz, .glb"):
        made.save(tmp_path / "take.fbx")
    for ending in (".csv", ".npz"):
        (tmp_path / f"taken{ending}").mkdir()
        with pytest.raises(SinkError):
            made.save(tmp_path / f"taken{ending}")
        (tmp_path / "file").touch()
        with pytest.raises(SinkError):
            made.save(tmp_path / "file" / f"take{ending}")
    assert not list(tmp_path.glob("**/*.partial"))


@pytest.mark.parametrize(
    ("given", "rate", "said"),
    [
        (np.zeros(100), None, "sample_rate: got none, expected the Hz of the array"),
        (np.zeros(100), 4000, "rate: got 4000, expected a whole number of Hz from 8000 to 192000"),
        (np.zeros(100), 24000.5, "rate: got 24000.5, expected a whole number"),
        (np.zeros(100), True, "rate: got True, expected a whole number"),
        (np.zeros(100), "24000", "rate: got '24000', expected a whole number"),
        (np.zeros(0), RATE, "got no samples, expected at least one"),
        (np.zeros((2, 24000)), RATE, r"got shape \(2, 24000\), expected .* with 1 to 32 channels; transpose it"),
        (np.zeros((1, 2, 3)), RATE, r"got shape \(1, 2, 3\), expected"),
        (np.float32(0.5), RATE, r"got shape \(\), expected"),
        (np.zeros(100, np.int32), RATE, "got int32, expected floats"),
        (np.zeros(100, complex), RATE, "got complex128, expected floats"),
        (b"\0\0", RATE, "got bytes16, expected floats"),
        ([[0.0], [0.0, 0.1]], RATE, "got list that is no array"),
        (np.array([0, np.nan, np.inf]), RATE, r"sample 1 is not finite \(2 of 3 are not\)"),
        (np.array([0.0, -12000.0]), RATE, "got values up to 12000, expected .*; divide 16-bit audio by 32768"),
        (np.array([1e300]), RATE, r"got values up to 1e\+300"),
        ("voice.wav", RATE, "sample_rate: got 24000 for voice.wav, expected none"),
    ],
)
def test_sound_that_cannot_be_is_one_line_before_a_model_is_loaded(given, rate, said):
    with pytest.raises(UsageError, match=said) as caught:
        animate(given, rate, model="no such model")
    assert "\n" not in str(caught.value)


def test_a_little_over_full_scale_is_clipped_and_not_refused():
    loud = animate(np.full(RATE, 1.3, np.float32), RATE, model=MODEL, liveliness=False)
    full = animate(np.full(RATE, 1.0, np.float32), RATE, model=MODEL, liveliness=False)
    np.testing.assert_array_equal(loud.poses, full.poses)


def test_arguments_and_files_that_cannot_be_are_one_line_each(voice, tmp_path):
    for options, kind, said in [
        ({"mood": "cheerful"}, ConfigError, "mood: got 'cheerful', expected neutral, happy"),
        ({"seed": -1}, ConfigError, "seed: got -1, expected a whole number"),
        ({"liveliness": "perhaps"}, ConfigError, "liveliness: got 'perhaps', expected true or false"),
        ({"device": "tpu", "model": "pmmtalk-live"}, ConfigError, "device: got 'tpu', expected auto"),
        ({"device": "cuda"}, UsageError, "got 'cuda' for a model that is on 'cpu'"),
        ({"model": 3}, UsageError, "model: got int, expected a name"),
        ({"model": "pmmtalk"}, ModelError, "pmmtalk"),
        ({"character": tmp_path / "none.yaml"}, BridgeError, "none.yaml: no such file"),
    ]:
        with pytest.raises(kind, match=said):
            animate(voice, **({"model": MODEL} | options))
    with pytest.raises(SourceError, match="none.wav: no such file"):
        animate(tmp_path / "none.wav", model=MODEL)


def test_neither_the_environment_nor_a_settings_file_has_a_say(voice, tmp_path, monkeypatch):
    before = animate(voice, model=MODEL).poses
    (tmp_path / "settings.yaml").write_text("mood: sad:1\n", encoding="utf-8")
    monkeypatch.setenv("LIVELINK_BRIDGE_CONFIG", str(tmp_path / "settings.yaml"))
    monkeypatch.setenv("LIVELINK_BRIDGE_SEED", "9")
    np.testing.assert_array_equal(animate(voice, model=MODEL).poses, before)


def test_importing_the_names_loads_no_heavy_library_and_importing_the_package_next_to_nothing():
    code = (
        "import sys, livelink_bridge; assert 'numpy' not in sys.modules, 'numpy'; from livelink_bridge import "
        "animate, stream_to;"
        "print(*({name.partition('.')[0] for name in sys.modules} & {'torch', 'transformers', 'sounddevice', "
        "'onnxruntime', 'soundfile'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, cwd=ROOT)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


def test_a_name_that_is_not_there_is_an_attribute_error():
    import livelink_bridge

    with pytest.raises(AttributeError, match="no attribute 'animated'"):
        _ = livelink_bridge.animated
    assert {"animate", "stream_to"} <= set(livelink_bridge.__all__)
