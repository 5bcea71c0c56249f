"""The sound of a take that was made from a sound file lies beside it under the take's name."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from arkit_mapping.character.character import Character
from arkit_mapping.takes.names import sound_beside
from livelink_bridge.errors import SinkError, SourceError
from livelink_bridge.face.face import Face
from livelink_bridge.session.offline import convert_file
from livelink_bridge.takes import placed_audio
from livelink_bridge.takes.placed_audio import place_sound
from livelink_bridge.testing.stand_ins import LoudnessModel

RATE_HZ = 16000
TONE = 0.5 * np.sin(np.arange(RATE_HZ) * 0.2)


def placed(sound: Path, csv: Path, ours: str | None = None) -> Path | None:
    wav = place_sound(sound, csv, ours)
    csv.write_text("take")
    return wav


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_a_wav_that_unreal_imports_gets_a_second_name_and_no_copy(tmp_path: Path, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, RATE_HZ, subtype=subtype)
    wav = placed(tmp_path / "a.wav", tmp_path / "takes" / "a.csv")
    assert wav is not None and wav.samefile(tmp_path / "a.wav") and sound_beside(tmp_path / "takes" / "a.csv") == wav
    assert sorted(path.name for path in (tmp_path / "takes").iterdir()) == ["a.csv", "a.wav"]


def test_where_no_second_name_can_be_it_is_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, RATE_HZ)

    def refuse(*_paths: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    wav = placed(tmp_path / "a.wav", tmp_path / "takes" / "a.csv")
    assert (
        wav is not None
        and not wav.samefile(tmp_path / "a.wav")
        and wav.read_bytes() == (tmp_path / "a.wav").read_bytes()
    )


@pytest.mark.parametrize(
    ("name", "form", "subtype", "bits"),
    [
        ("a.flac", "FLAC", "PCM_16", "PCM_16"),
        ("a.ogg", "OGG", "VORBIS", "PCM_24"),
        ("a.mp3", "MP3", "MPEG_LAYER_III", "PCM_24"),
        ("a.aiff", "AIFF", "PCM_24", "PCM_24"),
        ("a.wav", "WAV", "FLOAT", "PCM_24"),
        ("a.wav", "WAV", "PCM_32", "PCM_24"),
        ("a.wav", "WAV", "ULAW", "PCM_16"),
        ("a.wav", "WAV", "PCM_U8", "PCM_16"),
        ("a.w64", "W64", "PCM_16", "PCM_16"),
    ],
)
def test_whatever_else_becomes_a_wav_of_the_same_sound(
    tmp_path: Path, name: str, form: str, subtype: str, bits: str
) -> None:
    soundfile.write(tmp_path / name, TONE, RATE_HZ, format=form, subtype=subtype)
    wav = placed(tmp_path / name, tmp_path / "takes" / "a.csv")
    assert wav is not None and wav.suffix == ".wav" and soundfile.info(wav).subtype == bits
    expected, _ = soundfile.read(tmp_path / name)
    np.testing.assert_allclose(soundfile.read(wav)[0], expected, atol=2e-7)


def test_a_wav_whose_header_has_a_streams_size_becomes_one_that_says_its_length(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "whole.wav", TONE, RATE_HZ)
    content = bytearray((tmp_path / "whole.wav").read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "a.wav").write_bytes(content)
    wav = placed(tmp_path / "a.wav", tmp_path / "takes" / "a.csv")
    assert wav is not None and not wav.samefile(tmp_path / "a.wav") and soundfile.info(wav).frames == RATE_HZ


def test_a_take_beside_its_own_sound_needs_no_other(tmp_path: Path) -> None:
    for name in ("a.wav", "b.flac"):
        soundfile.write(tmp_path / name, TONE, RATE_HZ)
        assert placed(tmp_path / name, tmp_path / f"{name[0]}.csv") is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.wav", "b.csv", "b.flac"]


def test_another_sound_of_that_name_is_left_as_it_is_unless_it_is_ours(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, RATE_HZ)
    (tmp_path / "takes").mkdir()
    (tmp_path / "takes" / "a.wav").write_bytes(b"mine")
    with pytest.raises(SinkError, match="takes/a.wav exists and is not the take.s audio.*--no-sound"):
        placed(tmp_path / "a.wav", tmp_path / "takes" / "a.csv")
    assert (tmp_path / "takes" / "a.wav").read_bytes() == b"mine" and not (tmp_path / "takes" / "a.csv").exists()
    assert (
        placed(tmp_path / "a.wav", tmp_path / "takes" / "a.csv", placed_audio._sha256(tmp_path / "takes" / "a.wav"))
        is not None
    )
    assert (tmp_path / "takes" / "a.wav").samefile(tmp_path / "a.wav")


def test_a_take_that_cannot_be_finished_leaves_no_sound(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, RATE_HZ)
    with pytest.raises(RuntimeError, match="stopped"):
        convert_file(
            tmp_path / "a.wav", tmp_path / "takes" / "a.csv", LoudnessModel(), Face(Character()), on_progress=_stop
        )
    assert list((tmp_path / "takes").iterdir()) == [] and (tmp_path / "a.wav").exists()


def test_a_take_has_its_sound_before_it_has_its_name(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, RATE_HZ)
    take, seen = tmp_path / "takes" / "a.csv", list[bool]()

    def place() -> None:
        place_sound(tmp_path / "a.wav", take)
        seen.append(take.exists())

    convert_file(tmp_path / "a.wav", take, LoudnessModel(), Face(Character()), before_naming=place)
    assert seen == [False] and sorted(path.name for path in take.parent.iterdir()) == ["a.csv", "a.wav"]


def _stop(_part: float) -> None:
    raise RuntimeError("stopped")


def test_what_is_no_sound_is_the_readers_own_line(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("hello")
    with pytest.raises(SourceError, match="is not audio that can be read"):
        placed(tmp_path / "a.wav", tmp_path / "takes" / "a.csv")
    with pytest.raises(SourceError, match="no such file"):
        placed(tmp_path / "none.wav", tmp_path / "takes" / "a.csv")
    assert list((tmp_path / "takes").iterdir()) == []
