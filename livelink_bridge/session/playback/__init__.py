"""Audio on the output device: the voice of a file in step with the face, and the delayed voice of a microphone."""
