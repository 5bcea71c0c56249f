"""The step in PyTorch: one captured graph on CUDA, plain modules on Apple's GPU and without a graph file.

A captured graph replays all kernel launches of a step in one call, so the interpreter lock is held for microseconds
instead of milliseconds; its inputs and outputs are fixed buffers that are copied in and out.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from speech_to_face.networks.pmmtalk.network import PMMTalk, Views
from speech_to_face.networks.pmmtalk.voice import Voice
from speech_to_face.streaming.stepped import PRIME_STEPS, Array, silence
from speech_to_face.torch_threads import torch_threads


class TorchSteps:
    """Plain modules on any device. phones: also return the phones' log-probabilities, in columns after the channels.
    threads: of one operator; None leaves PyTorch's number."""

    def __init__(self, network: PMMTalk, voice: Voice, phones: bool = False, threads: int | None = None) -> None:
        self.network, self._phones, self._threads = network.eval(), phones, threads
        self.device = next(network.parameters()).device
        self._quiet: list[Tensor] | None = None
        self._voice = [torch.from_numpy(part).to(self.device) for part in (voice.style, voice.code, voice.crop)]
        self.reset()

    @torch.inference_mode()
    def reset(self) -> None:
        """Back to the state after `PRIME_STEPS` of silence."""
        if self._quiet is None:
            self._states, self._clock = self.network.initial_states(), 0
            TorchSteps.run(self, silence())
            self._quiet = self._states
        self._states, self._clock = [state.clone() for state in self._quiet], PRIME_STEPS

    @torch.inference_mode()
    def run(self, mel: Array) -> Array:
        """float32 (steps, 160) -> (steps, columns)"""
        clock = torch.tensor(self._clock, device=self.device)
        heard = torch.from_numpy(np.ascontiguousarray(mel)).to(self.device)[None]
        with torch_threads(self._threads):
            out, self._states, views = self.network(heard, *self._voice, clock, self._states)
        self._clock += len(mel)
        return np.asarray(self._columns(out, views)[0].cpu().numpy())

    def _columns(self, out: Tensor, views: Views) -> Tensor:
        return torch.cat([out, views.log_phones], -1) if self._phones else out


class CudaGraphSteps(TorchSteps):
    """Single steps replay a captured graph; blocks of many run as plain modules on the same state."""

    def __init__(self, network: PMMTalk, voice: Voice, phones: bool = False) -> None:
        super().__init__(network, voice, phones)
        self._mel = torch.zeros(1, 1, network.audio.stem.in_features, device=self.device)
        self._tick = torch.zeros((), dtype=torch.long, device=self.device)
        self._graph = self._capture()
        self.reset()

    @torch.inference_mode()  # the fixed buffers were made in it, and outside of it nothing may be written into them
    def reset(self) -> None:
        """Back to the state after `PRIME_STEPS` of silence."""
        super().reset()
        if hasattr(self, "_fixed"):
            for buffer, state in zip(self._fixed, self._states, strict=True):
                buffer.copy_(state)

    @torch.inference_mode()
    def _capture(self) -> torch.cuda.CUDAGraph:
        self._fixed = [state.clone() for state in self.network.initial_states()]
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # capture wants a stream that has already run the work once
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            self._one_step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._out = self._one_step()
        return graph

    def _one_step(self) -> Tensor:
        out, states, views = self.network(self._mel, *self._voice, self._tick, self._fixed)
        for buffer, state in zip(self._fixed, states, strict=True):
            buffer.copy_(state)
        return self._columns(out, views)

    @torch.inference_mode()
    def run(self, mel: Array) -> Array:
        """float32 (steps, 160) -> (steps, columns), not clamped; one replay of the captured graph a step."""
        if len(mel) != 1:
            self._states = self._fixed
            out = super().run(mel)
            for buffer, state in zip(self._fixed, self._states, strict=True):
                buffer.copy_(state)
            return out
        self._mel.copy_(torch.from_numpy(np.ascontiguousarray(mel))[None])
        self._tick.fill_(self._clock)
        self._graph.replay()
        self._clock += 1
        return np.asarray(self._out[0].cpu().numpy())
