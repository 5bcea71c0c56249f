"""OSC encoding and decoding, and the layouts of face frames in OSC messages (docs/protocol.md, section 5)."""
