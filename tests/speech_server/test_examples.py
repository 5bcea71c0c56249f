"""The clients in examples/ against a real server."""

import json
import runpy
import shutil
import subprocess
import sys
import threading
import wave
from pathlib import Path

import numpy as np
import pytest

from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.core.workers import Runner
from livelink_bridge.network.access import Access
from livelink_bridge.sources.paced_pcm import PcmSource
from livelink_bridge.speech_server.protocol import Start, parse
from livelink_bridge.speech_server.server import Server

EXAMPLES = Path(__file__).parents[2] / "examples"

BROWSER = """
const elements = {}, sent = [];
globalThis.document = { getElementById: id => elements[id] ??= { textContent: "", value: "ws://x",
  files: [{ arrayBuffer: () => null }] } };
globalThis.AudioContext = class { decodeAudioData() { return { duration: 60 }; } };
globalThis.OfflineAudioContext = class {
  startRendering() { return { getChannelData: () => new Float32Array(60 * 24000) }; } };
globalThis.AudioBufferSourceNode = class { connect() {} start() {} stop() {} };
globalThis.WebSocket = class {
  static OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  constructor() { setTimeout(() => this.onopen(), 0); }
  send(data) { sent.push(typeof data === "string" ? JSON.parse(data).type : "sound"); }
  close() { this.readyState = 3; }
};
"""
"""What the page needs of a browser: a file of a minute, and a socket that takes everything."""

CUT_IN = """
setTimeout(() => elements.speak.onclick(), 0);
setTimeout(() => elements.interrupt.onclick(), 300);
setTimeout(() => { console.log(JSON.stringify(sent)); process.exit(); }, 900);
"""


class Listener:
    """A voice without a face: it takes the sound as it is played."""

    def __init__(self, subject: str | None, _mood: str | None) -> None:
        self.subject = subject or "Talker"
        self.samples: list[np.ndarray] = []

    def source(self, echo: bool) -> PcmSource:
        return PcmSource(self.subject, clock=MonotonicClock(), echo=echo)

    def run(self, source: PcmSource, stop: threading.Event) -> None:
        self.samples += [block.samples for block in source.blocks()]

    def set_mood(self, mood: str) -> None:
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


@pytest.mark.skipif(shutil.which("node") is None, reason="runs the page's script in node")
def test_the_browser_example_sends_nothing_after_an_interruption(tmp_path):
    page = (EXAMPLES / "speech_engine.html").read_text(encoding="utf-8")
    script = tmp_path / "page.js"
    script.write_text(BROWSER + page.partition("<script>")[2].partition("</script>")[0] + CUT_IN, encoding="utf-8")
    ran = subprocess.run(["node", str(script)], capture_output=True, text=True, timeout=30, check=True)
    sent = json.loads(ran.stdout)
    assert sent[:2] == ["start", "sound"]
    assert sent[-1] == "interrupt", "600 ms later"


def test_every_client_message_of_the_documentation_is_one_that_the_server_takes():
    text = (EXAMPLES.parent / "docs" / "listen.md").read_text(encoding="utf-8")
    blocks = text.split("```json")[1:]
    messages = [line for block in blocks for line in block.split("```")[0].splitlines() if line.startswith("{")]
    kinds = [json.loads(line)["type"] for line in messages]
    assert {"start", "end", "interrupt", "mood", "ready", "position", "done", "error", "audio"} <= set(kinds)
    for line, kind in zip(messages, kinds, strict=True):
        if kind in ("start", "end", "interrupt", "mood"):
            assert isinstance(parse(line), Start) == (kind == "start")
