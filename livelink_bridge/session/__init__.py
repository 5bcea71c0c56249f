"""One run: what turns settings into sources, faces and sinks, and the modes live, play, replay and convert."""
