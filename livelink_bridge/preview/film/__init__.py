"""A video of the face: its size and rate, the frames from the page, ffmpeg."""
