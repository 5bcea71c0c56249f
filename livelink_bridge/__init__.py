"""Speech in, a MetaHuman's face out: sound to Live Link Face packets in real time."""

__version__ = "0.1.0"
