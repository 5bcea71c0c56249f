"""Networks whose layers are all causal and carry their state: what a small system must offer to train, to play and to
run live.

PMMTalk's live network has more inputs and a compiled step (`speech_to_face.networks.pmmtalk`); every other small system
is one of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from speech_to_face import checkpoint
from speech_to_face.base import ModelError, SpeechToFace
from speech_to_face.streaming.stepped import Array, SteppedModel, silence
from speech_to_face.styles import VoiceChoice, style_shares
from speech_to_face.torch_threads import torch_threads

States = list[Tensor]


class CausalNetwork(Protocol):
    """An nn.Module of this kind. Step n gives the coefficients of frame n - config.delay."""

    config: Any
    styles: nn.Embedding
    """(len(config.styles) + 1, style width)"""

    def initial_states(self, batch: int = 1) -> States:
        """Silence before the first sample; where the network counts steps, the count is one of the states."""
        ...

    def __call__(self, mel: Tensor, style: Tensor, states: States) -> tuple[Tensor, States]:
        """mel (batch, steps, 160), style (batch, style width) -> coefficients (batch, steps, channels), not clamped;
        the next states."""
        ...


class CausalSteps:
    """One voice of a causal network; see `speech_to_face.streaming.stepped.Steps`."""

    def __init__(self, network: nn.Module, style: NDArray[np.float32], threads: int | None = None) -> None:
        """style: float32 (style width,); threads: of one operator, None leaves PyTorch's number."""
        self.network: Any = network.eval()
        self.device, self._threads = next(network.parameters()).device, threads
        self._style = torch.from_numpy(style)[None].to(self.device)
        self._quiet: States | None = None
        self.reset()

    @torch.inference_mode()
    def reset(self) -> None:
        """Back to the state after `PRIME_STEPS` of silence."""
        if self._quiet is None:
            self._states = self.network.initial_states()
            self.run(silence())
            self._quiet = self._states
        self._states = [state.clone() for state in self._quiet]

    @torch.inference_mode()
    def run(self, mel: Array) -> Array:
        """float32 (steps, 160) -> (steps, channels)"""
        heard = torch.from_numpy(np.ascontiguousarray(mel)).to(self.device)[None]
        with torch_threads(self._threads):
            out, self._states = self.network(heard, self._style, self._states)
        return np.asarray(out[0].cpu().numpy())


def load_causal(
    folder: Path, network: nn.Module, device: str, voices: Sequence[VoiceChoice], tongue: bool
) -> list[SpeechToFace]:
    """Models of one built network, its weights read from the folder. Raises ModelError for what does not fit or is not
    to be had."""
    config: Any = network.config
    refuse_what_is_not_there(folder.name, voices, tongue)
    shares = [style_shares(voice.style, config.styles) for voice in voices]
    load_weights(folder / checkpoint.WEIGHTS, network)
    threads = (
        1 if device == "cpu" else None
    )  # two wait for each other at every small operator: 30 times slower beside other work
    network.to(device)
    table = network.get_parameter("styles.weight").detach().cpu().numpy()
    return [
        SteppedModel(folder.name, config, device, partial(CausalSteps, network, share @ table, threads))
        for share in shares
    ]


def refuse_what_is_not_there(name: str, voices: Sequence[VoiceChoice], tongue: bool) -> None:
    """Raises ModelError where a reference face or a tongue is asked of a network that has neither."""
    if tongue:
        raise ModelError(f"model {name!r} does not recognize phones, which move a tongue; leave out --tongue")
    if any(voice.reference is not None for voice in voices):
        raise ModelError(f"model {name!r} has no image branch; leave out --reference-face")


def load_weights(path: Path, network: nn.Module) -> None:
    """Fill a network from safetensors. Raises ModelError for a wrong file, keys or shapes that differ, or numbers that
    are not finite."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        found = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a readable safetensors file ({error}); install the model again") from error
    wanted = network.state_dict()
    wrong = [
        key
        for key in wanted.keys() | found.keys()
        if key not in wanted or key not in found or wanted[key].shape != found[key].shape
    ]
    if wrong:
        raise ModelError(
            f"{path}: does not fit its config.yaml: {len(wrong)} tensors differ, the first is {sorted(wrong)[0]}"
        )
    odd = [key for key, value in found.items() if value.is_floating_point() and not bool(torch.isfinite(value).all())]
    if odd:
        raise ModelError(f"{path}: {sorted(odd)[0]} has numbers that are not finite; install the model again")
    network.load_state_dict(found)
    network.eval()
