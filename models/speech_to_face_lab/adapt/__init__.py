"""A shipped model made to speak as one actor does: `livelink-bridge adapt`, see docs/adapt.md.

Takes with sound go in (`takes`), are brought in step with their sound (`timing`), split (`split`) and laid down as
training tracks beside what the untouched network does for other voices (`material`); a short run of training
(`learning`, `run`) leaves a checkpoint folder with its figures (`figures`, `card`).
"""
