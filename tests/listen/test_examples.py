"""The clients in examples/ talk to a real server."""

import json
import runpy
import sys
import threading
import wave
from pathlib import Path

import numpy as np

from livelink_bridge.clock import MonotonicClock
from livelink_bridge.listen.access import Access
from livelink_bridge.listen.protocol import Start, parse
from livelink_bridge.listen.server import Server
from livelink_bridge.runner import Runner
from livelink_bridge.sources.pcm import PcmSource

EXAMPLES = Path(__file__).parents[2] / "examples"


class Listener:
    """A voice without a face: it takes the sound as it is played."""

    def __init__(self, subject: str | None, _mood: str | None) -> None:
        self.subject = subject or "Talker"
        self.samples: list[np.ndarray] = []

    def source(self, echo: bool) -> PcmSource:
        return PcmSource(self.subject, clock=MonotonicClock(), echo=echo)

    def run(self, source: PcmSource, stop: threading.Event) -> None:
        self.samples += [block.samples for block in source.blocks()]

    def feel(self, mood: str) -> None:
        raise AssertionError(mood)


def test_the_python_example_speaks_a_wav_file_to_its_end(tmp_path, monkeypatch, capsys):
    sound = np.random.default_rng(1).integers(-9000, 9000, 8000, np.int16)
    with wave.open(str(tmp_path / "voice.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(sound.astype("<i2").tobytes())
    voices: list[Listener] = []

    def open_voice(subject, mood):
        voices.append(Listener(subject, mood))
        return voices[-1]

    server = Server(open_voice, Access(), port=0, clock=MonotonicClock())
    monkeypatch.setattr(sys, "argv", ["speech_engine.py", str(tmp_path / "voice.wav"), server.url])
    with Runner() as runner:
        runner.start("server", server.run, cancel=server.stop)
        runpy.run_path(str(EXAMPLES / "speech_engine.py"))
    said = capsys.readouterr().out
    assert "'type': 'ready'" in said and "'type': 'position'" in said
    assert "{'type': 'done', 'utterance': 1, 'reason': 'end', 'played_s': 0.5}" in said
    assert [voice.subject for voice in voices] == ["Engine"]
    np.testing.assert_array_equal(np.concatenate(voices[0].samples)[:, 0], sound.astype(np.float32) / 32768)


def test_every_client_message_of_the_documentation_is_one_that_the_server_takes():
    text = (EXAMPLES.parent / "docs" / "listen.md").read_text(encoding="utf-8")
    blocks = text.split("```json")[1:]
    messages = [line for block in blocks for line in block.split("```")[0].splitlines() if line.startswith("{")]
    kinds = [json.loads(line)["type"] for line in messages]
    assert {"start", "end", "interrupt", "mood", "ready", "position", "done", "error", "audio"} <= set(kinds)
    for line, kind in zip(messages, kinds, strict=True):
        if kind in ("start", "end", "interrupt", "mood"):
            assert isinstance(parse(line), Start) == (kind == "start")
