"""Phone posteriors of a whole recording, from the pseudo-text branch, for alignment and for scoring."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from speech_to_face.networks.pmmtalk.network import PMMTalk
from speech_to_face.streaming.features import LogMel, frame_count, step_end


@torch.no_grad()
def log_posteriors(network: PMMTalk, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 (frames, classes): log-probability of every phone class at each frame's time k / 60; the delay is already
    taken out.

    samples: float32 (n,), mono, [-1, 1], 16 kHz. The network starts from empty states at each call: pieces of a longer
    recording, taken one by one, differ from the whole.
    """
    frames, delay = frame_count(len(samples)), network.config.delay
    missing = step_end(frames + delay - 1) - len(samples)
    mel = LogMel().push(np.concatenate([np.asarray(samples, np.float32), np.zeros(max(0, missing), np.float32)]))
    sound = torch.from_numpy(mel[: frames + delay])[None].to(network.out.weight.device)
    states = network.initial_states()
    audio, _ = network.audio(sound, states[: len(network.audio.state_shapes)])
    first = len(network.audio.state_shapes)
    _, log_phones, _ = network.text(audio, states[first : first + len(network.text.state_shapes)])
    return np.asarray(log_phones[0, delay : delay + frames].cpu().numpy(), np.float32)
