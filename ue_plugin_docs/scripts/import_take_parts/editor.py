"""The calls to Unreal, by the names of its Python API reference; LiveLinkFaceImporterFactory by the plugin's source."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from .copied.cells import TakeError
from .plan import Plan
from .take import RATE, csv_text


class Editor:
    """Makes the assets of a plan. `unreal` is the editor's module; TakeError if the importer plugin is off."""

    def __init__(self, unreal: Any) -> None:
        if not hasattr(unreal, "LiveLinkFaceImporterFactory"):
            raise TakeError("the plugin Live Link Face Importer is off: Edit > Plugins, enable it, restart the editor")
        self._unreal = unreal
        self._assets = unreal.get_editor_subsystem(unreal.EditorAssetSubsystem)

    def make(self, plan: Plan, dest: str, *, replace: bool) -> None:
        """Import face and audio, and save both.

        Parameters
        ----------
        plan : what to import
        dest : content folder, such as /Game/Takes
        replace : delete assets of the same names first

        Raises
        ------
        TakeError
            If an asset exists and `replace` is False, or if Unreal imports nothing.
        """
        for name in filter(None, (plan.sequence, plan.sound)):
            self._make_room(f"{dest}/{name}", replace)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, plan.sequence + ".csv")
            copy.write_bytes(csv_text(plan.take).encode())
            sequence = self._import(copy, dest, plan.sequence, self._unreal.LiveLinkFaceImporterFactory())
        sequence.set_display_rate(self._unreal.FrameRate(RATE, 1))
        if plan.wav:
            self._add_audio(sequence, self._import(plan.wav, dest, plan.sound, None), plan)
        sequence.set_playback_start(plan.first_frame)
        sequence.set_playback_end(plan.first_frame + plan.frames)
        self._assets.save_loaded_asset(sequence)

    def _make_room(self, path: str, replace: bool) -> None:
        if not self._assets.does_asset_exist(path):
            return
        if not replace:
            raise TakeError(f"{path} is there already; --replace deletes it first")
        if not self._assets.delete_asset(path):
            raise TakeError(f"{path} could not be deleted; something may hold it open")

    def _import(self, file: Path, dest: str, name: str, factory: Any) -> Any:
        task = self._unreal.AssetImportTask()
        settings = {
            "filename": str(file.resolve()),
            "destination_path": dest,
            "destination_name": name,
            "automated": True,
            "save": True,
        }
        for key, value in (settings if factory is None else {**settings, "factory": factory}).items():
            task.set_editor_property(key, value)
        self._unreal.AssetToolsHelpers.get_asset_tools().import_asset_tasks([task])
        made = list(task.get_editor_property("imported_object_paths"))
        asset = self._assets.load_asset(made[0]) if made else None
        if asset is None:
            raise TakeError(
                f"Unreal imported nothing of {file.name}: see the lines of LogLiveLinkFaceImporter in the Output Log"
            )
        return asset

    def _add_audio(self, sequence: Any, sound: Any, plan: Plan) -> None:
        """Put the audio on a track, with its first sample at the first row."""
        section = sequence.add_track(self._unreal.MovieSceneAudioTrack).add_section()
        section.set_editor_property("sound", sound)
        section.set_range(plan.first_frame, plan.first_frame + plan.sound_frames)
