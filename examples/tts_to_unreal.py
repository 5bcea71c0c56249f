"""Drive a face in Unreal with a text-to-speech engine while it generates audio.

python examples/tts_to_unreal.py "Hello there"              # espeak-ng, which must be installed
ENGINE | python examples/tts_to_unreal.py - --rate 24000    # any program that writes 16-bit mono samples
"""

import argparse
import subprocess
import sys
import wave
from collections.abc import Iterator
from contextlib import contextmanager

from livelink_bridge import stream_to
from livelink_bridge.errors import BridgeError

BLOCK = 4096


@contextmanager
def espeak(text: str) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Sample rate in Hz, and the samples as espeak-ng generates them: 16-bit mono, little endian."""
    with (
        subprocess.Popen(["espeak-ng", "--stdout", "--", text], stdout=subprocess.PIPE) as engine,
        wave.open(engine.stdout) as sound,
    ):
        yield sound.getframerate(), iter(lambda: sound.readframes(BLOCK), b"")


@contextmanager
def piped(rate: int) -> Iterator[tuple[int, Iterator[bytes]]]:
    """`rate`, and the samples from standard input."""
    yield rate, iter(lambda: sys.stdin.buffer.read(2 * BLOCK), b"")


def main() -> None:
    """Parse the arguments and stream to the face."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", help="text to speak; - reads samples from standard input")
    parser.add_argument("--rate", type=int, default=24000, help="Hz of samples from standard input (default: 24000)")
    parser.add_argument(
        "--to", default="livelink://127.0.0.1:11111", help="the face's target (default: Unreal on this machine)"
    )
    parser.add_argument("--subject", default="Engine", help="its name in the Live Link window (default: Engine)")
    chosen = parser.parse_args()
    try:
        with piped(chosen.rate) if chosen.text == "-" else espeak(chosen.text) as (rate, chunks):
            with stream_to(chosen.to, subject=chosen.subject, sample_rate=rate) as face:
                for chunk in chunks:
                    face.say(chunk)
                face.end()
    except FileNotFoundError:
        sys.exit(
            "espeak-ng is not installed; install it, or pipe another engine's samples into this program with - and "
            "--rate"
        )
    except BridgeError as error:
        sys.exit(str(error))
    print(f"{face.summary.seconds:.1f} s of audio, {face.summary.sent} frames to {chosen.to} as {chosen.subject}")


if __name__ == "__main__":
    main()
