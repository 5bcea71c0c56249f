"""Heads after VOCA, FaceFormer and EmoTalk on one and the same small audio encoder, for tables: what the papers compare
with.

Small counterparts, not re-implementations: sizes, features and the shift in time are ours, and each module says what it
keeps of its paper.
"""
