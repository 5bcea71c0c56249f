"""The speech server: receives audio from speech engines over a WebSocket and drives a face. Protocol: docs/listen.md."""
