"""Speak a 16-bit wav file through `livelink-bridge listen`: python examples/speech_engine.py FILE.wav
[ws://127.0.0.1:8765]"""

import json
import sys
import wave

from websockets.sync.client import connect

with (
    wave.open(sys.argv[1]) as sound,
    connect(sys.argv[2] if len(sys.argv) > 2 else "ws://127.0.0.1:8765", proxy=None) as face,
):
    start = {
        "type": "start",
        "format": "s16le",
        "rate": sound.getframerate(),
        "channels": sound.getnchannels(),
        "subject": "Engine",
    }
    face.send(json.dumps(start))
    while data := sound.readframes(sound.getframerate() // 10):  # chunks of 0.1 s, as an engine would generate them
        face.send(data)  # blocks while the server's buffer is full
    face.send(json.dumps({"type": "end"}))
    for answer in map(json.loads, face):
        print(answer)  # noqa: T201
        if answer["type"] in ("done", "error"):
            break
