"""Which files of tests only `scripts/test --slow` runs, and why: tests/conftest.py marks them `slow`.

Single tests that are slow carry the mark themselves.
"""

from __future__ import annotations

PLACES = {
    "trains networks, which no shipped path needs; commands/models/test_train.py runs a training whole": (
        "speech_to_face_lab/training/",
    ),
    "adapts networks step by step; adapt/test_command.py and adapt/data/ hold what is refused before": (
        "speech_to_face_lab/adapt/test_run",
        "speech_to_face_lab/adapt/test_verdict",
    ),
    "starts a Ray cluster, an extra; batch/test_local.py and batch/test_run.py hold what engines have in common": (
        "batch/ray/",
    ),
    "photographs the page beside a live session; preview/page/test_live_session.py holds its parts": (
        "device/test_preview_live",
    ),
    "draws and scores for `evaluate`; commands/models/test_evaluate.py runs it": (
        "speech_to_face_lab/evaluation/test_evaluation",
    ),
    "waits for speech engines that hang, which only a corpus needs": ("speech_to_face_lab/corpus/test_engines",),
}
"""By the reason, the beginnings of paths."""


def why(place: str) -> str | None:
    """The reason why the tests of a file are slow; None where they are not."""
    return next((reason for reason, places in PLACES.items() if place.startswith(places)), None)
