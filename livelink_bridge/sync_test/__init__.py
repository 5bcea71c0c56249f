"""Tone bursts with jaw pulses: is the face in sync with the audio?"""
