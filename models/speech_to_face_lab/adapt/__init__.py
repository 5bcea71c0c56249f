"""Adapts a shipped model to one actor: `livelink-bridge adapt`, see docs/adapt.md.

Takes with audio are read, aligned, split and written as training tracks next to the untouched network's answers to
other voices (`data`, `reading`); a short run of training (`learning`, `steps`, `run`) ends with a checkpoint folder and
its figures (`figures`, `verdict`, `card`).
"""
