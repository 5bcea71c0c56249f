"""The answer of the network before its adaptation to a recording: its face, and the phones that it recognizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE
from speech_to_face.base import Samples
from speech_to_face.networks.pmmtalk import faces
from speech_to_face.networks.pmmtalk.branches import to_patches
from speech_to_face.networks.pmmtalk.network import PMMTalk
from speech_to_face.phones import CLASSES, INDEX, Phone
from speech_to_face.streaming.features import LogMel, frame_count, step_end
from speech_to_face_lab.corpus.captures import Word
from speech_to_face_lab.tracks import UNKNOWN

BLOCK = 240
SURE = 0.5
"""Least probability of a recognized phone."""
BILABIAL = [INDEX["PB"], INDEX["M"]]
LIP_PHONES = [*BILABIAL, INDEX["FV"], INDEX["W"]]
"""Phones with the lips close together, closed or not."""
SHORTEST_PHONE = 3
"""Frames."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Frame k belongs to time k / 60 of the audio."""

    curves: NDArray[np.float32]
    """(frames, 32) in [0, 1]"""
    labels: NDArray[np.uint8]
    """(frames,) the phone that is recognized with certainty, UNKNOWN where none is."""
    sealed: NDArray[np.float32]
    """(frames,) 1 where p, b or m is recognized."""


class UntouchedNetwork:
    """The untouched network with the default face and the unknown style."""

    def __init__(self, network: PMMTalk) -> None:
        self._network = network
        face = faces.draw_reference(faces.default_look())
        with torch.no_grad():
            self._code = network.reference(face)
        self._crop = to_patches(faces.crop_mouth(face, network.config.image_size))

    @torch.no_grad()
    def answer(self, samples: Samples) -> Answer:
        """float32 (n,), 16 kHz -> its frames; every call starts from silence."""
        frames, delay = frame_count(len(samples)), self._network.config.delay
        missing = max(0, step_end(frames + delay - 1) - len(samples))
        mel = LogMel().push(np.concatenate([samples, np.zeros(missing, np.float32)]))[: frames + delay]
        states, clock, out, phones = self._network.initial_states(), torch.zeros((), dtype=torch.long), [], []
        style = self._network.styles.weight[-1:]
        for block in torch.split(torch.from_numpy(mel)[None], BLOCK, 1):
            found, states, views = self._network(block, style, self._code, self._crop, clock, states)
            clock = clock + block.shape[1]
            out.append(found[0].clamp(0, 1).numpy())
            phones.append(views.log_phones[0].exp().numpy())
        return answer_of(np.concatenate(out)[delay:], np.concatenate(phones)[delay:])


def answer_of(curves: NDArray[np.float32], shares: NDArray[np.float32]) -> Answer:
    """curves (frames, 32); shares (frames, phones), probabilities."""
    labels = np.where(shares.max(1) >= SURE, shares.argmax(1), UNKNOWN).astype(np.uint8)
    return Answer(curves, labels, (shares[:, BILABIAL].sum(1) >= SURE).astype(np.float32))


def closing(labels: NDArray[np.uint8]) -> tuple[Phone, ...]:
    """The p, b and m that are recognized with certainty."""
    return tuple(
        Phone(CLASSES[labels[a]], a / FRAME_RATE, b / FRAME_RATE) for a, b in runs(labels) if int(labels[a]) in BILABIAL
    )


def onsets(labels: NDArray[np.uint8]) -> tuple[Word, ...]:
    """The recognized phones as words of one letter: "p" where lips close, "a" where they need not; none where they
    might."""
    words = []
    for first, end in runs(labels):
        phone = int(labels[first])
        if phone in BILABIAL or (phone != UNKNOWN and phone not in LIP_PHONES and CLASSES[phone] != "SIL"):
            words.append(Word("p" if phone in BILABIAL else "a", first / FRAME_RATE, end / FRAME_RATE))
    return tuple(words)


def runs(labels: NDArray[np.uint8]) -> Sequence[tuple[int, int]]:
    """(first, end) of each segment of equal labels, three frames long or more."""
    edges = np.flatnonzero(np.diff(labels.astype(np.int64))) + 1
    bounds = [0, *edges.tolist(), len(labels)]
    return [(a, b) for a, b in zip(bounds[:-1], bounds[1:], strict=True) if b - a >= SHORTEST_PHONE]
