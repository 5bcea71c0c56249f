"""Settings and models stay in the folders in which earlier versions, which knew each system's rules by themselves, put
them."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

import platformdirs
import pytest
from platformdirs import macos, unix, windows

from livelink_bridge.settings.identity import config_folder
from speech_to_face.checkpoint import default_models_dir

ROAMING, LOCAL = r"C:\Users\ada\AppData\Roaming", r"C:\Users\ada\AppData\Local"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIVELINK_BRIDGE_HOME", "LIVELINK_BRIDGE_MODELS_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "PlatformDirs", unix.Unix)
    assert config_folder() == Path.home() / ".config" / "livelink-bridge"
    assert default_models_dir() == Path.home() / ".local" / "share" / "livelink-bridge" / "models"


def test_linux_with_folders_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "PlatformDirs", unix.Unix)
    monkeypatch.setenv("XDG_CONFIG_HOME", "/mine")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert config_folder() == Path("/mine/livelink-bridge")
    assert default_models_dir() == Path("/data/livelink-bridge/models")


def test_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "PlatformDirs", macos.MacOS)
    support = Path.home() / "Library" / "Application Support" / "livelink-bridge"
    assert config_folder() == support
    assert default_models_dir() == support / "models"


def test_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings roam between machines, models do not. There both are known folders, which have no author's name."""
    known = {"CSIDL_APPDATA": ROAMING, "CSIDL_LOCAL_APPDATA": LOCAL}
    monkeypatch.setattr(platformdirs, "PlatformDirs", windows.Windows)
    monkeypatch.setattr(windows, "get_win_folder", known.__getitem__)
    assert PureWindowsPath(str(config_folder())) == PureWindowsPath(ROAMING, "livelink-bridge")
    assert PureWindowsPath(str(default_models_dir())) == PureWindowsPath(LOCAL, "livelink-bridge", "models")


def test_a_folder_that_is_named_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/x")
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", "/mine")
    monkeypatch.setenv("LIVELINK_BRIDGE_MODELS_DIR", "/big/disk")
    assert config_folder() == Path("/mine")
    assert default_models_dir() == Path("/big/disk")
