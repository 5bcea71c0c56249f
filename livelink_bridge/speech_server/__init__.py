"""The speech server: audio from speech engines over a WebSocket drives a face. Protocol: docs/listen.md."""
