"""Speech engines: sound comes in over a WebSocket and moves a face. docs/listen.md is the protocol."""
