"""The subject's name: what Unreal, its importer and other receivers make of it (protocol.md 1.4, 1.7, 2)."""

from __future__ import annotations

from livelink_bridge.doctor.finding import Finding

LONG = 64
"""Bytes. Unreal takes 512, lists in windows show fewer."""


def subject_name(subject: str) -> Finding:
    """Whether a name is one, and is the same everywhere."""
    bare = subject.strip()
    if not bare or bare.lower() == "none" or "\0" in subject:
        return Finding("fail", "subject", f"{subject!r} is no name to Unreal; choose another --subject")
    told = list(_doubts(subject))
    if told:
        return Finding("warn", "subject", f"{subject!r} {'; and '.join(told)}")
    return Finding("ok", "subject", f"{subject!r}; choose it as the MetaHuman's ARKit Face Subj")


def _doubts(subject: str) -> list[str]:
    size = len(subject.encode("utf-8", "replace"))
    doubts = {
        "begins or ends with a space, which no list shows; take it away": subject != subject.strip(),
        "has letters beyond ASCII: Unreal reads them, some others do not; if one shows nothing, use plain "
        "letters": not subject.isascii(),
        "has underscores: of a take with more than three parts in its name the importer cuts the first; use another "
        "sign": "_" in subject,
        f"is {size} bytes long, more than lists show; shorten it": size > LONG,
    }
    return [text for text, so in doubts.items() if so]
