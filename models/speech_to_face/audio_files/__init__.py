"""Audio files: opened, with the length that they declare and the length that they hold. No network, no thread."""

from speech_to_face.audio_files.opening import CutError, Recording, RecordingError, open_recording

__all__ = ["CutError", "Recording", "RecordingError", "open_recording"]
