"""Checks the subject's name for Unreal, its importer and other receivers (docs/protocol.md, sections 1.4, 1.7, 2)."""

from __future__ import annotations

from livelink_bridge.doctor.finding import Finding

LONG = 64
"""Bytes. Unreal accepts 512, lists in its windows show fewer."""


def subject_name(subject: str) -> Finding:
    """Check that a name is valid and is shown unchanged everywhere."""
    bare = subject.strip()
    if not bare or bare.lower() == "none" or "\0" in subject:
        return Finding("fail", "subject", f"{subject!r} is not a valid name in Unreal; choose another --subject")
    problems = _problems(subject)
    if problems:
        return Finding("warn", "subject", f"{subject!r} {'; and '.join(problems)}")
    return Finding("ok", "subject", f"{subject!r}; choose it as the MetaHuman's ARKit Face Subj")


def _problems(subject: str) -> list[str]:
    size = len(subject.encode("utf-8", "replace"))
    problems = {
        "begins or ends with a space, which no list shows; remove it": subject != subject.strip(),
        "has letters beyond ASCII: Unreal reads them, some others do not; if one shows nothing, use plain "
        "letters": not subject.isascii(),
        "has underscores: of a take with more than three parts in its name the importer cuts the first; use another "
        "character": "_" in subject,
        f"is {size} bytes long, more than lists show; shorten it": size > LONG,
    }
    return [text for text, applies in problems.items() if applies]
