"""A STAND-IN for the part of Unreal's Python API that `import_take.py` uses. It is not Unreal and proves nothing about
Unreal.

It knows only names of the API's documentation, and raises AttributeError for any other. Its take importer follows what
the source of LiveLinkFaceImporterFactory.cpp says: rows are keys at their time of day, a row with another number of
filled cells ends the import, the subject is cut out of the asset's name. `older=True` counts FF in sixtieths always, as
versions before 5.4 do; otherwise the rate is 60 if some FF is over 30, and 30 if not, and becomes the sequence's
display rate.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

TICKS = 24000
"""Tick resolution of a new sequence, a second."""


class Properties:
    """An object whose editor properties are those of its class, and no others."""

    known: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def set_editor_property(self, name: str, value: Any) -> None:
        if name not in self.known:
            raise AttributeError(f"{type(self).__name__} has no property {name!r}")
        self._values[name] = value

    def get_editor_property(self, name: str) -> Any:
        if name not in self.known:
            raise AttributeError(f"{type(self).__name__} has no property {name!r}")
        return self._values.get(name)


class FrameRate:
    def __init__(self, numerator: int, denominator: int) -> None:
        self.numerator, self.denominator = numerator, denominator


class SoundWave:
    def __init__(self, data: bytes) -> None:
        self.data = data


class MovieSceneAudioSection(Properties):
    known = ("sound",)

    def __init__(self, sequence: LevelSequence) -> None:
        super().__init__()
        self._sequence = sequence
        self.seconds = (0.0, 0.0)

    def set_range(self, start_frame: int, end_frame: int) -> None:
        """In frames of the display rate that is set by then."""
        rate = self._sequence.display_rate
        self.seconds = (start_frame / rate, end_frame / rate)


class MovieSceneAudioTrack:
    def __init__(self, sequence: LevelSequence) -> None:
        self._sequence = sequence
        self.sections: list[MovieSceneAudioSection] = []

    def add_section(self) -> MovieSceneAudioSection:
        self.sections.append(MovieSceneAudioSection(self._sequence))
        return self.sections[-1]


class LevelSequence:
    def __init__(self) -> None:
        self.subject = ""
        self.properties: list[str] = []
        self.keys: list[tuple[float, list[float]]] = []
        self.tracks: list[MovieSceneAudioTrack] = []
        self.display_rate = 30.0
        self.playback = [0.0, 0.0]

    def set_display_rate(self, display_rate: FrameRate) -> None:
        self.display_rate = display_rate.numerator / display_rate.denominator

    def set_playback_start(self, start_frame: int) -> None:
        self.playback[0] = start_frame / self.display_rate

    def set_playback_end(self, end_frame: int) -> None:
        self.playback[1] = end_frame / self.display_rate

    def add_track(self, track_type: type[MovieSceneAudioTrack]) -> MovieSceneAudioTrack:
        self.tracks.append(track_type(self))
        return self.tracks[-1]


class LiveLinkFaceImporterFactory:
    """What the importer's source does with a file."""

    older = False

    def make(self, file: Path, name: str) -> LevelSequence | None:
        lines = file.read_text(encoding="utf-8").splitlines()
        keys = [cell for cell in lines[0].split(",") if cell]
        if len(lines) < 2 or len(keys) < 3 or [key.lower() for key in keys[:2]] != ["timecode", "blendshapecount"]:
            return None
        sequence = LevelSequence()
        sequence.subject, sequence.properties = subject_of(name), keys[2:]
        rate = 60 if self.older or any(float(line.split(",")[0].split(":")[3]) > 30 for line in lines[1:]) else 30
        if not self.older:
            sequence.display_rate = rate
        for line in lines[1:]:
            cells = [cell for cell in line.split(",") if cell]
            if len(cells) != len(keys):
                break
            hours, minutes, seconds, ff = cells[0].split(":")
            at = int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(ff) / rate
            sequence.keys.append((int(at * TICKS) / TICKS, [float(cell) for cell in cells[2:]]))
        return sequence


def subject_of(name: str) -> str:
    """CreateSubjectString, step by step as its source goes."""
    subject = name
    for ending in ("_cal", "_raw", "_neutral"):
        if subject.lower().endswith(ending):
            subject = subject[: -len(ending)]
    tokens = subject.split("_")
    if len(tokens) > 3:
        tokens.pop(0)
        while tokens:
            numeric = tokens.pop(0).lstrip("+-").replace(".", "", 1)
            if numeric.isdigit():
                break
        if tokens:
            subject = "_".join(tokens)
    return subject or name


class AssetImportTask(Properties):
    known = (
        "filename",
        "destination_path",
        "destination_name",
        "automated",
        "save",
        "factory",
        "imported_object_paths",
    )


class EditorAssetSubsystem:
    def __init__(self) -> None:
        self.assets: dict[str, Any] = {}
        self.saved: list[Any] = []

    def does_asset_exist(self, asset_path: str) -> bool:
        return asset_path in self.assets

    def delete_asset(self, asset_path_to_delete: str) -> bool:
        return self.assets.pop(asset_path_to_delete, None) is not None

    def load_asset(self, asset_path: str) -> Any:
        return self.assets.get(asset_path.split(".")[0])

    def save_loaded_asset(self, asset_to_save: Any, only_if_is_dirty: bool = True) -> bool:
        self.saved.append(asset_to_save)
        return True


class _AssetTools:
    def __init__(self, subsystem: EditorAssetSubsystem) -> None:
        self._subsystem = subsystem

    def import_asset_tasks(self, import_tasks: list[AssetImportTask]) -> None:
        for task in import_tasks:
            file, name = Path(task.get_editor_property("filename")), task.get_editor_property("destination_name")
            path = f"{task.get_editor_property('destination_path')}/{name}"
            factory = task.get_editor_property("factory")
            made = factory.make(file, name) if factory else self._sound(file)
            task.set_editor_property("imported_object_paths", [f"{path}.{name}"] if made else [])
            if made:
                self._subsystem.assets[path] = made

    @staticmethod
    def _sound(file: Path) -> SoundWave | None:
        data = file.read_bytes()
        return SoundWave(data) if struct.unpack_from("<4s", data)[0] == b"RIFF" else None


class Unreal:
    """The module `unreal` of an editor in which all needed plugins are on."""

    def __init__(self, *, older: bool = False, importer: bool = True) -> None:
        subsystem = EditorAssetSubsystem()
        self.logged: list[str] = []
        self.errors: list[str] = []
        self.assets = subsystem.assets
        self.saved = subsystem.saved
        self.FrameRate, self.AssetImportTask, self.MovieSceneAudioTrack = (
            FrameRate,
            AssetImportTask,
            MovieSceneAudioTrack,
        )
        self.EditorAssetSubsystem = EditorAssetSubsystem
        self.get_editor_subsystem = {EditorAssetSubsystem: subsystem}.__getitem__
        self.AssetToolsHelpers = type(
            "AssetToolsHelpers", (), {"get_asset_tools": staticmethod(lambda: _AssetTools(subsystem))}
        )
        if importer:
            self.LiveLinkFaceImporterFactory = type(
                "LiveLinkFaceImporterFactory", (LiveLinkFaceImporterFactory,), {"older": older}
            )

    def log(self, text: str) -> None:
        self.logged.append(text)

    def log_error(self, text: str) -> None:
        self.errors.append(text)
