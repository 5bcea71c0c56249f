"""Sync test: tone bursts with matching jaw pulses, to measure the offset of audio and face."""
