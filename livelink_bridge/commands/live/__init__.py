"""Commands that move a face in real time."""
