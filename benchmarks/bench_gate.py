"""When the noise gate lets a face move: in noise, in speech and at onsets; and its processor time.

    python benchmarks/bench_gate.py --data FOLDER [--recordings 50] [--seconds 60]

FOLDER holds `manifest.json` (clips with `words`) and `manifest_people.json` (clips with `speaker`), each with `audio`.
Compares Silero's VAD, the level alone, and webrtcvad if it is installed (pip install webrtcvad-wheels).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from livelink_bridge.audio.agc import AGC
from livelink_bridge.audio.input.input_chain import InputChain
from livelink_bridge.audio.vad import Detector, SileroDetector
from speech_to_face_lab.corpus.augment import NOISES as DRAWN
from speech_to_face_lab.evaluation.data import read_samples
from speech_to_face_lab.evaluation.sounds import NOISES

RATE = 16_000
BLOCK = RATE // 2
"""Large, for speed: the decisions do not depend on it (tests/audio/input/test_input_chain.py)."""
MOVING, THROUGH = 0.05, 0.5
"""Gate weights above which the face counts as moving, and at which a frame counts as passed."""
LATE_S = (1 / 60, 0.05, 0.1)
"""Delays of onsets that are counted: one frame, a quarter of a syllable, half a syllable."""
TAIL_S = 3.0


class WebRtcDetector:
    """WebRTC's VAD: 10 ms frames of 16-bit audio, 0 or 1, in the strictest of its four modes."""

    def __init__(self) -> None:
        import webrtcvad

        self._new = lambda: webrtcvad.Vad(3)
        self.reset()

    def reset(self) -> None:
        """Start a new recording."""
        self._vad, self._kept, self._given = self._new(), np.zeros(0, np.float32), 0

    def push(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions (samples) and probabilities of the frames completed by `samples`."""
        self._kept = np.concatenate([self._kept, samples])
        chunks = self._kept[: len(self._kept) // 160 * 160].reshape(-1, 160)
        self._kept = self._kept[chunks.size :]
        decisions = [
            self._vad.is_speech((np.clip(chunk, -1, 1) * 32767).astype("<i2").tobytes(), RATE) for chunk in chunks
        ]
        self._given += len(decisions)
        return np.arange(self._given - len(decisions) + 1, self._given + 1) * 160, np.array(decisions, np.float32)


def chains() -> dict[str, Callable[[], InputChain]]:
    """By name, functions that create an input chain with each detector."""
    makers: dict[str, Callable[[], Detector | None]] = {
        "silero": SileroDetector,
        "level": lambda: None,
        "webrtc": WebRtcDetector,
    }
    try:
        WebRtcDetector()
    except ImportError:
        del makers["webrtc"]
    return {name: lambda make=make: InputChain(make()) for name, make in makers.items()}


@dataclass(frozen=True)
class Recording:
    """A recording, float32 (n,) at RATE, and its onset."""

    name: str
    samples: np.ndarray
    onset_s: float


def weights_of(chain: InputChain, samples: np.ndarray) -> np.ndarray:
    """Gate weights of all frames whose look-ahead lies in the audio, fed as a microphone would."""
    voices = [chain.push(samples[start : start + BLOCK], RATE) for start in range(0, len(samples), BLOCK)]
    return np.concatenate([voice.gates for voice in voices if voice.gates is not None])


def at_dbfs(samples: np.ndarray, dbfs: float) -> np.ndarray:
    """Samples scaled to an RMS. It is measured over frames within 25 dB of the loudest: for speech, without pauses."""
    levels = levels_of(samples)
    rms_dbfs = 10 * np.log10(np.mean(10 ** (levels[levels > np.percentile(levels, 95) - 25] / 10)))
    return np.clip(samples * 10 ** ((dbfs - rms_dbfs) / 20), -1, 1).astype(np.float32)


def levels_of(samples: np.ndarray, hop: int = RATE // 100) -> np.ndarray:
    """Level of each hop, dBFS."""
    return 10 * np.log10(
        np.mean(samples[: len(samples) // hop * hop].reshape(-1, hop).astype(float) ** 2, axis=1) + 1e-12
    )


def coloured(count: int, slope: float, rng: np.random.Generator) -> np.ndarray:
    """Noise whose amplitude falls with frequency to the power of `slope`: 0 is white, 0.5 pink."""
    hz = np.fft.rfftfreq(count, 1 / RATE)
    return np.fft.irfft(np.fft.rfft(rng.standard_normal(count)) * np.maximum(hz, 20) ** -slope, count)


def breath(count: int, rng: np.random.Generator) -> np.ndarray:
    """Breathing with a period of 3.2 s: noise around 900 Hz and 2.6 kHz."""
    hz, time_s = np.maximum(np.fft.rfftfreq(count, 1 / RATE), 1), np.arange(count) / RATE
    colour = np.exp(-(np.log2(hz / 900) ** 2) / 2) + 0.4 * np.exp(-2 * np.log2(hz / 2600) ** 2)
    wave = np.sin(2 * np.pi * time_s / 3.2)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(count)) * colour, count)
    return noise * (np.maximum(wave, 0) ** 1.5 + 0.5 * np.maximum(-wave, 0) ** 2)


def noises(seconds: float) -> dict[str, np.ndarray]:
    """Noises by name, float32 (seconds * RATE,)."""
    count, rng = int(seconds * RATE), np.random.default_rng(1)
    sounds = {f"white {d}": at_dbfs(coloured(count, 0, rng), d) for d in (-50, -35)}
    sounds |= {f"pink {d}": at_dbfs(coloured(count, 0.5, rng), d) for d in (-50, -35)}
    sounds |= {f"breath {d}": at_dbfs(breath(count, rng), d) for d in (-40, -30)}
    sounds |= {name: np.resize(make(), count) for name, make in NOISES.items()}
    sounds |= {f"drawn {name}": at_dbfs(make(count, np.random.default_rng(3)), -35) for name, make in DRAWN.items()}
    quiet = np.zeros(RATE, np.float32)
    return sounds | {"white -35 from silence": np.concatenate([quiet, sounds["white -35"]])[:count]}


def in_band(samples: np.ndarray) -> np.ndarray:
    """Samples band-limited to 200-7000 Hz, without the rumble of many recordings."""
    spectrum, hz = np.fft.rfft(samples), np.fft.rfftfreq(len(samples), 1 / RATE)
    return np.fft.irfft(np.where((hz > 200) & (hz < 7000), spectrum, 0), len(samples))


def onset_s(samples: np.ndarray, after_s: float = 0.0) -> float | None:
    """The speech onset: the first time at which most of the next 40 ms are within 25 dB of the loud parts. None unless
    the silence before is 32 dB below them."""
    levels = levels_of(in_band(samples), 80)
    loud_db = np.percentile(levels, 95)
    above = levels > loud_db - 25
    lasting = np.convolve(above, np.ones(8))[7 : 7 + len(above)]
    at = [i for i in np.flatnonzero(above & (lasting >= 6)) if i * 0.005 >= after_s]
    quiet = bool(at) and at[0] > 50 and (after_s > 0 or loud_db - np.median(levels[: at[0] - 6]) > 32)
    return at[0] * 0.005 if quiet else None


def recordings(folder: Path, count: int) -> list[Recording]:
    """Half of the recordings have timed words, half are of other speakers, each once, alternating between corpora."""
    timed = [row for row in _rows(folder / "manifest.json") if row.get("words")]
    people = {row["speaker"]: row for row in _rows(folder / "manifest_people.json")}.values()
    corpora: dict[str, list[dict]] = {}
    for row in people:
        corpora.setdefault(row["corpus"], []).append(row)
    turns = [row for turn in zip_longest(*corpora.values()) for row in turn if row]
    found = list(_found(folder, timed[:: max(1, len(timed) // (count // 2 + 5))], count // 2))
    return found + list(_found(folder, turns, count - len(found)))


def _found(folder: Path, rows: list[dict], count: int) -> Iterator[Recording]:
    for row in rows:
        words = [start for start, _, word in row.get("words", ()) if word not in ("sil", "sp")]
        samples = read_samples(folder / row["audio"])
        onset = onset_s(samples, words[0] - 0.05 if words else 0.0)
        if count and onset is not None:
            count -= 1
            yield Recording(row["id"], samples[: int((onset + TAIL_S) * RATE)], onset)


def _rows(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))


def held_back_s(weights: np.ndarray, onset: float) -> float:
    """Delay from the onset to the first frame that passes the gate; 0 if it is in time."""
    first = int(onset * 60)
    through = np.flatnonzero(weights[first:] >= THROUGH)
    return max(0.0, (first + through[0]) / 60 - onset) if len(through) else float("inf")


def show_noises(seconds: float) -> None:
    """Print how much each noise opens the gate."""
    print(f"\nshare of {seconds:g} s in which the face moves, %\n{'':24}" + "".join(f"{name:>10}" for name in chains()))
    for name, samples in noises(seconds).items():
        shares = [100 * np.mean(weights_of(make(), samples) > MOVING) for make in chains().values()]
        print(f"{name:24}" + "".join(f"{share:10.2f}" for share in shares))


def show_beginnings(found: list[Recording]) -> None:
    """Print the delays of onsets."""
    print(f"\n{len(found)} recordings: delay of onsets, and share of loud hops whose frames pass the gate")
    print(
        f"{'':8}{'dBFS':>6}{'median ms':>11}{'max ms':>9}"
        f"{'> 17 ms':>9}{'> 50 ms':>9}{'> 100 ms':>10}{'speech open %':>15}"
    )
    for name, make in chains().items():
        for dbfs in (-20, -40, -50):
            runs = [(one, weights_of(make(), at_dbfs(one.samples, dbfs))) for one in found]
            late = np.array([held_back_s(weights, one.onset_s) for one, weights in runs])
            share = 100 * np.mean(np.concatenate([_speech(one, weights) for one, weights in runs]) >= THROUGH)
            counts = "".join(f"{np.sum(late > limit):{width}}" for limit, width in zip(LATE_S, (9, 9, 10), strict=True))
            print(f"{name:8}{dbfs:6}{1e3 * np.median(late):11.0f}{1e3 * late.max():9.0f}{counts}{share:15.1f}")
            if name == "silero":
                print(
                    "         latest:", ", ".join(f"{found[i].name} {1e3 * late[i]:.0f}" for i in np.argsort(-late)[:3])
                )


def _speech(one: Recording, weights: np.ndarray) -> np.ndarray:
    """Gate weights of the frames within 25 dB of the loud parts, from the onset on."""
    first = int(one.onset_s * 60)
    at = (np.arange(first, len(weights)) * RATE) // 60
    levels = levels_of(in_band(one.samples), 80)
    near = levels[np.minimum(at // 80 + 1, len(levels) - 1)] > np.percentile(levels, 95) - 25
    return weights[first:][near]


def show_levels(found: list[Recording]) -> None:
    """Print the levels of the speech after the AGC."""
    print("\nAGC: RMS of the speech from 3 s on, dBFS (target -20)")
    long = [np.resize(one.samples[int(one.onset_s * RATE) :], 8 * RATE) for one in found]
    for dbfs in (-45, -30, -20, -6):
        ends = [_level_after(np.clip(at_dbfs(samples, dbfs), -1, 1)) for samples in long[:: max(1, len(long) // 20)]]
        low, median, high = np.percentile(ends, [5, 50, 95])
        print(f"  in {dbfs:4}: median {median:6.1f}, 5th to 95th percentile {low:6.1f} to {high:6.1f}")


def _level_after(samples: np.ndarray) -> float:
    chain = InputChain(SileroDetector(), level=AGC())
    voices = [chain.push(samples[start : start + BLOCK], RATE) for start in range(0, len(samples), BLOCK)]
    out = np.concatenate([voice.samples for voice in voices])
    levels = levels_of(out[3 * RATE :])
    return float(10 * np.log10(np.mean(10 ** (levels[levels > np.percentile(levels, 95) - 25] / 10))))


def show_cost() -> None:
    """Print the processor time of a block: the minimum of twenty runs, since the machine may be busy."""
    print("processor time of a block of 10 ms, everything on, ms")
    for rate in (16_000, 48_000):
        chain, block = InputChain(SileroDetector(), level=AGC()), rate // 100
        sound = (0.1 * np.random.default_rng(0).standard_normal(2 * rate)).astype(np.float32)
        ms = 1e3 * np.min([_times(chain, sound, rate, block) for _ in range(20)], axis=0)
        print(f"  {rate} Hz: mean {ms.mean():.3f}  p50 {np.median(ms):.3f}  p99 {np.percentile(ms, 99):.3f}")


def _times(chain: InputChain, sound: np.ndarray, rate: int, block: int) -> np.ndarray:
    chain.reset()
    took = []
    for start in range(0, len(sound), block):
        began = time.thread_time()
        chain.push(sound[start : start + block], rate)
        took.append(time.thread_time() - began)
    return np.array(took)


def main() -> None:
    """Parse the arguments and print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of recordings")
    parser.add_argument("--recordings", type=int, default=50, help="how many (default: 50)")
    parser.add_argument("--seconds", type=float, default=60, help="of every noise, s (default: 60)")
    chosen = parser.parse_args()
    show_cost()
    show_noises(chosen.seconds)
    found = recordings(chosen.data, chosen.recordings)
    show_beginnings(found)
    show_levels(found)


if __name__ == "__main__":
    main()
