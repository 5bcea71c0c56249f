"""What an animator works on: clip, character, history, exports. Knows no page."""
