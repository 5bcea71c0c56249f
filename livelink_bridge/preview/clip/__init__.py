"""What is computed when a file is opened: frames in tiles, waveform peaks, audio for the browser."""
