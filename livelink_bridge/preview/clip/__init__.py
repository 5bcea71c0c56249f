"""What a file becomes when it is opened: its frames in tiles, its audio as peaks and as something to play."""
