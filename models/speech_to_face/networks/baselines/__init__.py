"""Baselines of the tables: heads after VOCA, FaceFormer and EmoTalk on the same small audio encoder.

Small counterparts, not re-implementations: sizes, features and the delay are ours, and each module lists what it keeps
of its paper.
"""
