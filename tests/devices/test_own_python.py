"""Where Python is part of another program, that program is not started for it."""

import sys

import pytest

from livelink_bridge.devices import portaudio
from livelink_bridge.devices.default_watch import DefaultWatch
from livelink_bridge.devices.own_python import own_python


@pytest.mark.parametrize(
    ("executable", "frozen", "is_python"),
    [
        ("/usr/bin/python3.12", False, True),
        (r"C:\venv\Scripts\python.exe", False, True),
        (r"C:\Autodesk\Maya2026\bin\mayapy.exe", False, True),
        (r"C:\Epic\UnrealEditor.exe", False, False),
        ("/opt/maya/bin/maya.bin", False, False),
        ("/opt/show/python3", True, False),
        ("", False, False),
    ],
)
def test_a_host_application_is_not_taken_for_a_python(executable, frozen, is_python):
    assert (own_python(executable, frozen=frozen) is not None) == is_python


def test_inside_a_host_application_no_process_is_started(monkeypatch):
    """It would be the host itself, once more every two seconds."""
    monkeypatch.setattr(sys, "executable", "/opt/unreal/UnrealEditor")
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("a process was started"))
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a process was started"))
    assert portaudio.names_in_new_process() is None
    with pytest.raises(OSError, match="Python is embedded in this program"):
        DefaultWatch(lambda: None)
