"""Reads and splits the data of a run: batches to train on, batches to measure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader

from arkit_mapping.channels import FRAME_RATE
from speech_to_face.base import ModelError
from speech_to_face.networks.batch import Batch
from speech_to_face_lab.protocols.clips import SubjectClip, genders
from speech_to_face_lab.protocols.splits import PARTS, Split
from speech_to_face_lab.protocols.windows import brief_clips, brief_tracks
from speech_to_face_lab.tracks import Track, read_tracks
from speech_to_face_lab.training.data.examples import Windows, read_noises, spread
from speech_to_face_lab.training.data.recordings import (
    drawn_batches,
    features,
    kept_split,
    mean_curves,
    of_subjects,
    read_clips,
    speech_batches,
    track_batches,
    window_batches,
)
from speech_to_face_lab.training.loop.engine import Batches, Validation
from speech_to_face_lab.training.loop.plan import Plan
from speech_to_face_lab.training.orders import TrainOptions
from speech_to_face_lab.training.systems import system

FEATURES, HELD, TRACKS = "features", "features-held", "tracks"
EPOCHS = 80
"""Of the paper-size PMMTalk in its paper: so many times every clip, one clip a step."""
WATCHED = 4
"""Batches of the validation part whose losses are logged, always the same ones."""
CHECKED, CHECK_SEED = 2, 12345
"""Batches of each group of held-out tracks that are measured, always the same ones, and their seed."""
LOADERS = 1
"""Processes that mix noises into windows while the network learns; 0: none but the training's own."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Beside:
    """What a run knows besides its batches. Of these only `spread` and `rest` change what a network learns."""

    say: Say = lambda line: None
    """Called with a line for the user."""
    brief: tuple[str, ...] = ()
    """Training subjects with less speech than a window; they are not used."""
    rest: Tensor | None = None
    """float32 (32,): mean face of the training clips, at which a new network of paper size rests when it begins."""
    spread: Tensor | None = None
    """float32 (32,): standard deviation of each channel in the tracks, by which the shipped recipe weighs errors."""
    validation: Validation = field(default_factory=dict)
    """Batches that are measured while the network learns."""
    test: tuple[Track, ...] = ()
    """Of the test subjects, for the figures at the end."""
    source: str = ""
    """What was learnt from, for the card of a run of tracks."""


def prepared(order: TrainOptions, plan: Plan, run: Path, say: Say) -> tuple[Split | None, Batches, Beside]:
    """The protocol's parts (None for tracks), batches of those that train, and what the others are for."""
    run.mkdir(parents=True, exist_ok=True)
    if system(order.model).data == "tracks":
        return (None, *_tracks(order, plan, run, say))
    clips, tally = read_clips(Path(order.data), None if order.kind == "auto" else order.kind)
    made = kept_split(run, order.protocol, genders(clips), order.seed)
    parts = ", ".join(f"{len(made.part(part))} {part}" for part in PARTS)
    say(f"{len(clips)} clips of {len(genders(clips))} subjects ({parts}); {tally}")
    small = system(order.model).data == "windows"
    batches, beside = _windows(clips, made, plan, run, say) if small else _speech(clips, made, plan, say)
    if beside.brief:
        say(f"not used, since they have less speech than a window of {plan.seconds:g} s: {', '.join(beside.brief)}")
    return made, batches, beside


def _windows(clips: list[SubjectClip], made: Split, plan: Plan, run: Path, say: Say) -> tuple[Batches, Beside]:
    """For the small networks, from features that are kept in the run's folder."""
    tracks = features(made.of("train", clips), run / FEATURES)
    held = features([*made.of("validation", clips), *made.of("test", clips)], run / HELD)
    validation, test = of_subjects(held, made.validation), of_subjects(held, made.test)
    brief = brief_tracks(of_subjects(tracks, made.train), plan.seconds)
    watched = _watched(track_batches(validation, made, plan), plan, say)
    return window_batches(tracks, made, plan), Beside(say, brief, validation=watched, test=tuple(test))


def _speech(clips: list[SubjectClip], made: Split, plan: Plan, say: Say) -> tuple[Batches, Beside]:
    """For the networks of paper size."""
    own = made.of("train", clips)
    say(f"{EPOCHS} epochs, as in the paper, would be {EPOCHS * len(own)} steps of one of the {len(own)} training clips")
    watched = _watched(drawn_batches(made.of("validation", clips), made, plan), plan, say)
    beside = Beside(say, brief_clips(own, plan.seconds), mean_curves(own), validation=watched)
    return speech_batches(own, made, plan), beside


def _watched(batches: Batches, plan: Plan, say: Say) -> Validation:
    try:
        return {"": tuple(islice(batches(plan.seed), WATCHED))}
    except ModelError as error:
        say(f"no validation while it learns: {error}")
        return {}


def _tracks(order: TrainOptions, plan: Plan, run: Path, say: Say) -> tuple[Batches, Beside]:
    """For the shipped recipe: windows of tracks under other levels, equalisers and noises. ModelError for a folder that
    has none, and for a window that is longer than every track."""
    try:
        folder = _track_folder(order, run, say)
        tracks, held = (read_tracks(folder, held, order.without) for held in (False, True))
        check_names(folder, order.without)
        noises = read_noises(folder) if order.augmentation else None
        Windows(tracks, noises, plan.batch, plan.seconds, plan.seed)  # refuses what is too short
    except (ValueError, OSError) as error:
        raise ModelError(str(error)) from error

    def batches(seed: int) -> Iterator[Batch]:
        return loaded(Windows(tracks, noises, plan.batch, plan.seconds, seed))

    source = f"{len(tracks)} tracks, {sum(len(track.mel) for track in tracks) / FRAME_RATE / 3600:.1f} h"
    say(f"{source}; {len(held)} held out")
    return batches, Beside(say, spread=spread(tracks), validation=checks(held, plan), source=source)


def _track_folder(order: TrainOptions, run: Path, say: Say) -> Path:
    """The data itself, or tracks in the run's folder that are made of a corpus of text-to-speech."""
    from speech_to_face_lab.training.prepare import PrepareOptions, prepare

    data = Path(order.data)
    if order.kind == "tracks" or (order.kind == "auto" and not any(data.glob("*.flac"))):
        return data
    say(f"{data} is a corpus: its tracks are made in {run / TRACKS}")
    prepare(PrepareOptions(data, run / TRACKS))
    return run / TRACKS


def check_names(folder: Path, without: tuple[str, ...]) -> None:
    """ValueError for a name to leave out that no track has: the network would lack nothing."""
    names = [track.name for held in (False, True) for track in read_tracks(folder, held)]
    for start in without:
        if not any(name.startswith(start) for name in names):
            raise ValueError(f"--without {start}: no track in {folder} starts so; there are {', '.join(names[:5])} ...")


def loaded(windows: Windows) -> Iterator[Batch]:
    """Batches that other processes make while the network learns."""
    if not LOADERS:
        return iter(windows)
    loader: Any = DataLoader(windows, batch_size=None, num_workers=LOADERS, prefetch_factor=3, collate_fn=_as_it_is)
    return iter(loader)


def _as_it_is(batch: Any) -> Any:
    """`Windows` stacks the examples itself."""
    return batch


def checks(held: list[Track], plan: Plan) -> Validation:
    """Fixed batches of each group's held-out tracks, as clean as they were made."""
    long_enough = [track for track in held if len(track.mel) >= plan.seconds * FRAME_RATE]
    found = {}
    for group in sorted({track.about.group for track in long_enough}):
        own = [track for track in long_enough if track.about.group == group]
        found[group] = tuple(islice(Windows(own, None, plan.batch, plan.seconds, CHECK_SEED), CHECKED))
    return found
