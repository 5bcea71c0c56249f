"""Aligns transcripts with audio by a network's own phone posteriors: `python -m speech_to_face_lab.corpus.align
--help`."""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE
from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.phones import CLASSES, Phone
from speech_to_face_lab.corpus.captures.sound import FULL_SCALE, read_sound
from speech_to_face_lab.corpus.lattice import SILENCE, Lattice, Shares, best_path, lattice
from speech_to_face_lab.corpus.pronounce import PronounceError, Word
from speech_to_face_lab.corpus.transcripts import Recording, recordings

SLACK_S = 0.06
"""Seconds that a phone may extend beyond its word's given times."""
SMOOTH_FRAMES = 5
"""Posteriors are averaged over this many frames before the likeliest class is taken."""
LEAST_HEARD_S = 0.03
TimedWord = tuple[str, float, float]


class AlignError(ValueError):
    """A transcript that cannot be aligned with its audio. The text is one line."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """The aligned phones of a transcript."""

    phones: tuple[Phone, ...]
    """Without gaps, silence included; equal neighbours merged."""
    score: float
    """Mean over speech frames of log p(aligned class) - log p(likeliest class): 0 is perfect, wrong transcripts score
    far lower."""
    words: tuple[TimedWord, ...]
    """(text, start_s, end_s) without the pauses."""


def align(
    log_phones: Shares, words: Sequence[Word], prior: Shares | None = None, allowed: Shares | None = None
) -> Alignment:
    """Align words with posteriors.

    log_phones: float32 (frames, 30), log-probabilities at 60 Hz. prior: float32 (30,), class shares to divide by, or
    None. allowed: float32 (frames, words), 0 where a word may be spoken and -inf elsewhere, or None. Raises AlignError
    when the words do not fit into the frames.
    """
    graph = lattice(words)
    emissions = _emissions(graph, log_phones, prior, allowed)
    for quick in (False, True):  # phones of one frame only where the sound is too short for more
        path = best_path(graph, emissions, quick) if len(log_phones) else None
        if path is not None:
            return _alignment(graph, path, log_phones, words)
    raise AlignError(
        f"{len(words)} words do not fit into {len(log_phones)} frames: the transcript is not of this audio"
    )


def align_words(
    log_phones: Shares, timed_words: Sequence[tuple[Word, float, float]], prior: Shares | None = None
) -> Alignment:
    """Place phones where the words' times (start_s, end_s) are known: each word stays within `SLACK_S` of its own.
    Raises AlignError."""
    at = np.arange(len(log_phones)) / FRAME_RATE
    allowed = np.full((len(log_phones), len(timed_words)), -np.inf, np.float32)
    for i, (_, start, end) in enumerate(timed_words):
        allowed[(at >= start - SLACK_S) & (at <= end + SLACK_S), i] = 0
    return align(log_phones, [word for word, _, _ in timed_words], prior, allowed)


def decoded(log_phones: Shares) -> Alignment:
    """Phones without a transcript: the likeliest classes of smoothed posteriors; spans under `LEAST_HEARD_S` join their
    neighbours."""
    if not len(log_phones):
        return Alignment((), 0.0, ())
    padded = np.pad(np.exp(log_phones), ((SMOOTH_FRAMES // 2, SMOOTH_FRAMES // 2), (0, 0)), mode="edge")
    smooth = np.lib.stride_tricks.sliding_window_view(padded, SMOOTH_FRAMES, axis=0).mean(axis=-1)
    classes = _without_blips(smooth.argmax(axis=1), smooth)
    return Alignment(_spans(classes), _score(log_phones, classes), ())


def _without_blips(classes: NDArray[np.int64], smooth: Shares) -> NDArray[np.int64]:
    """Merge every span of too few frames with the likelier of its neighbours."""
    out = classes.copy()
    for first, last in _runs(classes):
        around = [int(out[k]) for k in (first - 1, last) if 0 <= k < len(out)]
        if around and (last - first) / FRAME_RATE < LEAST_HEARD_S:
            out[first:last] = max(around, key=lambda name: float(smooth[first:last, name].sum()))
    return out


def _emissions(graph: Lattice, log_phones: Shares, prior: Shares | None, allowed: Shares | None) -> Shares:
    likelihood = log_phones if prior is None else log_phones - np.log(prior)
    emissions = likelihood[:, graph.classes]
    if allowed is not None:
        word = np.array(graph.word)
        emissions[:, word >= 0] += allowed[:, word[word >= 0]]
    return np.asarray(emissions, np.float32)


def _alignment(graph: Lattice, path: NDArray[np.int64], log_phones: Shares, words: Sequence[Word]) -> Alignment:
    classes, word = np.array(graph.classes)[path], np.array(graph.word)[path]
    spans = ((i, np.flatnonzero(word == i)) for i in range(len(words)))
    timed = tuple((words[i].text, _boundary(int(at[0])), _boundary(int(at[-1]) + 1)) for i, at in spans)
    return Alignment(_spans(classes), _score(log_phones, classes), timed)


def _score(log_phones: Shares, classes: NDArray[np.int64]) -> float:
    speech = classes != SILENCE
    if not speech.any():
        return 0.0
    chosen = log_phones[np.arange(len(classes)), classes]
    return float((chosen - log_phones.max(axis=1))[speech].mean())


def _spans(classes: NDArray[np.int64]) -> tuple[Phone, ...]:
    return tuple(Phone(CLASSES[classes[a]], _boundary(a), _boundary(b)) for a, b in _runs(classes))


def _runs(classes: NDArray[np.int64]) -> list[tuple[int, int]]:
    """(first, last + 1) of every segment of equal values."""
    edges = [0, *(np.flatnonzero(np.diff(classes)) + 1).tolist(), len(classes)]
    return list(zip(edges, edges[1:], strict=False))


def _boundary(frame: int) -> float:
    """Start in seconds of the span whose first frame is `frame`: frame k belongs to time k / FRAME_RATE, so a boundary
    lies half a frame before the first frame of the new phone."""
    return max(0.0, (frame - 0.5) / FRAME_RATE)


Listener = Callable[[NDArray[np.float32]], Shares]
"""Audio, float32 (n,) at 16 kHz, to log-probabilities (frames, 30)."""


def align_corpus(found: Sequence[Recording], listen: Listener, worst: float) -> dict[str, dict[str, Any]]:
    """Phones, score and whether it is kept for every recording that could be aligned, by id; reports its progress.

    worst: share of each corpus, the lowest scores first, that is not kept. Raises ModelError for audio that cannot be
    read.
    """
    posteriors = _listen_to_all(found, listen)
    prior = class_shares([posteriors[r.id] for r in found])
    clips: dict[str, dict[str, Any]] = {}
    for recording in found:
        try:
            made = _one(recording, posteriors[recording.id], prior)
        except AlignError as error:
            print(f"{recording.id}: {error}, left out")
            continue
        phones = [[p.name, round(p.start_s, 4), round(p.end_s, 4)] for p in made.phones]
        clips[recording.id] = {"phones": phones, "score": round(made.score, 4), "kept": True, "kind": recording.kind}
    _drop_worst(clips, {r.id: r.corpus for r in found}, worst)
    return clips


def class_shares(posteriors: Sequence[Shares]) -> Shares:
    """float32 (30,): mean probability of every class over all frames, to divide by."""
    total = np.sum([np.exp(p, dtype=np.float64).sum(axis=0) for p in posteriors], axis=0)
    return np.asarray((total + 1) / (total + 1).sum(), np.float32)


def _listen_to_all(found: Sequence[Recording], listen: Listener) -> dict[str, Shares]:
    heard_by_id, began = {}, time.monotonic()
    for i, recording in enumerate(found, 1):
        heard_by_id[recording.id] = listen(np.asarray(read_sound(recording.audio) / FULL_SCALE, np.float32))
        if i % 100 == 0 or i == len(found):
            print(f"heard {i} of {len(found)} recordings in {time.monotonic() - began:.0f} s", flush=True)
    return heard_by_id


def _one(recording: Recording, log_phones: Shares, prior: Shares) -> Alignment:
    if not recording.words:
        return decoded(log_phones)
    if not recording.times:
        return align(log_phones, recording.words, prior)
    timed = [(word, start, end) for word, (start, end) in zip(recording.words, recording.times, strict=True)]
    return align_words(log_phones, timed, prior)


def _drop_worst(clips: dict[str, dict[str, Any]], corpus_of: dict[str, str], worst: float) -> None:
    by_corpus: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for name, clip in clips.items():
        by_corpus[corpus_of[name]].append(clip)
    for corpus, group in by_corpus.items():
        group.sort(key=lambda clip: clip["score"])
        for clip in group[: int(len(group) * worst)]:
            clip["kept"] = False
        scores = [clip["score"] for clip in group]
        low, middle, high = np.percentile(scores, (10, 50, 90))
        print(
            f"{corpus}: {sum(clip['kept'] for clip in group)} of {len(group)} kept; score {middle:.2f} ({low:.2f} to "
            f"{high:.2f})"
        )


def listener(folder: Path) -> Listener:
    """A checkpoint's pseudo-text branch, on one core. Raises ModelError when the folder is not a checkpoint."""
    import torch

    from speech_to_face.networks.pmmtalk.config import load_config
    from speech_to_face.networks.pmmtalk.loading import load_network
    from speech_to_face.networks.pmmtalk.posteriors import log_posteriors

    torch.set_num_threads(1)
    network = load_network(folder, load_config(folder / checkpoint.CONFIG))
    return lambda samples: log_posteriors(network, samples)


def run(data: Path, folder: Path, out: Path, worst: float) -> None:
    """Align the recordings in `data` with the checkpoint in `folder` and write the table. Raises as its parts do."""
    found, unsaid = recordings(data)
    for line in unsaid:
        print(f"{line}, left out")
    if not found:
        raise AlignError(
            f"{data}: no recording can be aligned, {len(unsaid)} left out; expected rows with a transcript in its "
            "manifests"
        )
    clips = align_corpus(found, listener(folder), worst)
    out.parent.mkdir(parents=True, exist_ok=True)
    table = {"model": checkpoint.digest(folder / checkpoint.WEIGHTS), "clips": clips}
    out.write_text(json.dumps(table, separators=(",", ":")), encoding="utf-8")
    print(f"{sum(clip['kept'] for clip in clips.values())} of {len(clips)} recordings kept: {out}")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of real recordings with manifest*.json")
    parser.add_argument("--model", required=True, help="checkpoint whose phone posteriors decide: a name or a folder")
    parser.add_argument("--out", type=Path, required=True, help="alignments, JSON")
    parser.add_argument(
        "--worst", type=float, default=0.15, help="share of each corpus to leave out, worst scores first"
    )
    options = parser.parse_args()
    try:
        run(options.data, checkpoint.find(options.model), options.out, options.worst)
    except (AlignError, ModelError, PronounceError, FileNotFoundError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
