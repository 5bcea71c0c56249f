"""The training corpus: text-to-speech with timed phones, real speech and its alignment, and mouth curves by rules."""
