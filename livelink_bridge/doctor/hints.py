"""Hints for settings inside Unreal, which cannot be checked from here (docs/protocol.md, section 6)."""

from __future__ import annotations

from collections.abc import Iterator

from livelink_bridge.doctor.finding import Finding


def unreal(subject: str) -> Iterator[Finding]:
    """Hints for users who send to Unreal: the settings that most often keep a face still."""
    text = "must be the ARKit one: + Source > Apple ARKit Source; the source 'Live Link Face' uses another protocol"
    yield Finding("note", "Unreal's source", text)
    yield Finding(
        "note",
        "Unreal's subject",
        f"MetaHuman > Details > Live Link: tick Use ARKit Face, set ARKit Face Subj to {subject!r}",
    )
    text = (
        "if it moves about 3 times a second: Editor Preferences > General > Performance > untick Use Less CPU when "
        "in Background"
    )
    yield Finding("note", "Unreal's editor", text)
    text = (
        "tick Update Animation in Editor on the Face component, or press Play; if a green subject moves nothing, "
        "see its Anim Class"
    )
    yield Finding("note", "Unreal's face", text)
