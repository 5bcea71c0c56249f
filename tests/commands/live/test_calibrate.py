import numpy as np
import pytest

from livelink_bridge.commands.live.calibrate import calibrate
from livelink_bridge.devices import calibration
from livelink_bridge.errors import SourceError
from livelink_bridge.testing.stand_ins import ListSource

RATE = 48000


def sound(*parts: tuple[float, float]) -> ListSource:
    """Hiss for so many seconds at so many dBFS, one part after the other."""
    rng = np.random.default_rng(6)
    pieces = [10 ** (dbfs / 20) * rng.standard_normal(round(seconds * RATE)) for seconds, dbfs in parts]
    return ListSource.of_samples(np.concatenate(pieces).astype(np.float32), RATE, 480)


@pytest.fixture(autouse=True)
def remembered(tmp_path, monkeypatch):
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", str(tmp_path))


def test_room_and_voice_set_the_gate_and_are_remembered_for_the_device(capsys):
    found = calibrate(sound((2.6, -60), (1.0, -60), (3.0, -25)))
    assert -58 < found.open_dbfs < -45
    assert calibration.load("list:") == found
    said = capsys.readouterr().out
    assert "please be silent" in said and "now speak" in said and f"opens at {found.open_dbfs:g} dBFS" in said


def test_a_voice_that_never_comes_is_one_line_and_nothing_is_remembered():
    with pytest.raises(SourceError, match="expected at least 6 dB"):
        calibrate(sound((25.0, -40)))
    assert calibration.load("list:") is None


def test_a_microphone_that_stops_is_one_line():
    with pytest.raises(SourceError, match=r"the microphone stopped after 1\.\d s, expected 2 s"):
        calibrate(sound((1.9, -60)))
