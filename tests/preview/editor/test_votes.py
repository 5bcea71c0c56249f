"""A blind comparison: drawn by a seed, on disk vote by vote, reported with its uncertainty."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livelink_bridge.errors import SinkError, SourceError, UsageError
from livelink_bridge.preview.editor import votes as module
from livelink_bridge.preview.editor.preference import Z_95, report, sentences, wilson
from livelink_bridge.preview.editor.votes import QUESTIONS, Ballots, Blind, Vote, read_votes

CLIPS = [f"line{number}.wav" for number in range(9)]
BLIND = Blind.drawn(CLIPS, "pmmtalk-live", "loudness", 7)


def vote(voter: str, trial: int, question: str, prefers: str) -> Vote:
    left = BLIND.trials[trial].left
    choice = "tie" if prefers == "tie" else "left" if prefers == left else "right"
    return Vote(voter, trial, BLIND.trials[trial].clip, left, question, choice)  # type: ignore[arg-type]


def test_a_seed_draws_the_same_order_and_sides_and_another_seed_others():
    assert Blind.drawn(CLIPS, "a", "b", 1) == Blind.drawn(CLIPS, "a", "b", 1)
    assert len({Blind.drawn(CLIPS, "a", "b", seed).trials for seed in range(20)}) == 20


@given(st.integers(0, 1000), st.integers(1, 40))
def test_every_clip_is_there_once_and_each_stands_on_the_left_in_half(seed, count):
    trials = Blind.drawn([str(number) for number in range(count)], "a", "b", seed).trials
    assert sorted(trial.clip for trial in trials) == sorted(str(number) for number in range(count))
    assert abs(sum(1 if trial.left == "a" else -1 for trial in trials)) <= 1


@pytest.mark.parametrize("clips, b", [([], "b"), (["x"] * 1000, "b"), (["x"], "a")])
def test_nothing_to_compare_is_said(clips, b):
    with pytest.raises(UsageError):
        Blind.drawn(clips, "a", b, 1)


def test_a_comparison_is_read_back_and_never_overwritten_unasked(tmp_path):
    BLIND.write(tmp_path / "it.json")
    assert Blind.read(tmp_path / "it.json") == BLIND
    with pytest.raises(SinkError):
        BLIND.write(tmp_path / "it.json")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        "[" * 50_000,
        '{"format": "other", "version": 1}',
        "\x00",
        '{"format": "livelink-bridge blind comparison", "version": 1, "a": "a", "b": "b", "seed": 1, '
        '"trials": [{"clip": "x", "left": "c"}]}',
    ],
)
def test_a_session_file_that_is_none_is_one_line(tmp_path, content):
    (tmp_path / "it.json").write_text(content)
    with pytest.raises(SourceError, match="^[^\n]*no blind comparison[^\n]*$"):
        Blind.read(tmp_path / "it.json")


def test_votes_are_on_disk_before_the_next_and_read_back(tmp_path):
    ballots = Ballots(tmp_path / "votes.csv", BLIND)
    for trial in range(3):
        ballots.vote("Ada, L.", trial, "lip-sync", "left")
        assert len(read_votes(tmp_path / "votes.csv")) == trial + 1
    ballots.close()
    again = Ballots(tmp_path / "votes.csv", BLIND)
    assert again.votes == ballots.votes and again.votes[0].voter == "Ada, L."
    again.vote("Ada, L.", 3, "realism", "tie")
    again.close()
    again.close()
    assert [found.choice for found in read_votes(tmp_path / "votes.csv")] == ["left"] * 3 + ["tie"]


def test_a_voter_goes_on_where_she_stopped(tmp_path):
    ballots = Ballots(tmp_path / "votes.csv", BLIND)
    for question in QUESTIONS:
        ballots.vote(" Ada ", 0, question, "tie")
    ballots.vote("Ada", 1, "realism", "left")
    assert ballots.left_for("Ada") == list(range(1, 9)) and ballots.left_for("Bob") == list(range(9))
    ballots.close()


def test_what_others_have_voted_since_the_file_was_opened_counts(tmp_path):
    ada, bob = (Ballots(tmp_path / "votes.csv", BLIND) for _ in range(2))
    ada.vote("Ada", 0, "realism", "left")
    bob.vote("Bob", 0, "realism", "right")
    assert {vote.voter for vote in ada.all_votes()} == {vote.voter for vote in bob.all_votes()} == {"Ada", "Bob"}
    ada.close()
    bob.close()


@pytest.mark.parametrize("torn", [b"A", b"Ada,3,line1.wav,a,lip", b'"Ada', b"\xff\xfe"])
def test_a_torn_last_line_is_cut_off_and_the_rest_kept(tmp_path, torn):
    path = tmp_path / "votes.csv"
    ballots = Ballots(path, BLIND)
    ballots.vote("Ada", 0, "realism", "left")
    ballots.close()
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert len(read_votes(path)) == 1
    ballots = Ballots(path, BLIND)
    assert path.read_bytes() == whole
    ballots.vote("Ada", 1, "realism", "right")
    ballots.close()
    assert len(read_votes(path)) == 2


def test_a_torn_header_is_begun_anew(tmp_path):
    (tmp_path / "votes.csv").write_text("voter,tri")
    Ballots(tmp_path / "votes.csv", BLIND).close()
    assert read_votes(tmp_path / "votes.csv") == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_program_that_is_killed_leaves_votes_that_are_whole(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom livelink_bridge.preview.editor.votes import *\n"
        "ballots = Ballots(Path(sys.argv[1]), Blind.drawn(['x'] * 9, 'a', 'b', 1))\n"
        "for at in range(100000):\n ballots.vote('Ada', at % 9, 'realism', 'left')\n print(at, flush=True)\n"
    )
    path = tmp_path / "votes.csv"
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(20)]
        process.kill()
        said += process.stdout.readlines()
    Ballots(path, Blind.drawn(["x"] * 9, "a", "b", 1)).close()
    assert len(read_votes(path)) >= len([line for line in said if line.endswith("\n")]) >= 20


@pytest.mark.parametrize(
    "answer",
    [
        ("Ada", -1, "realism", "left"),
        ("Ada", 9, "realism", "left"),
        ("Ada", 0, "beauty", "left"),
        ("Ada", 0, "realism", "both"),
    ],
)
def test_what_was_not_asked_is_not_counted(tmp_path, answer):
    ballots = Ballots(tmp_path / "votes.csv", BLIND)
    with pytest.raises(UsageError):
        ballots.vote(*answer)
    assert ballots.votes == [] == read_votes(tmp_path / "votes.csv")
    ballots.close()


def test_a_name_of_any_kind_is_one_cell_of_bounded_length(tmp_path):
    ballots = Ballots(tmp_path / "votes.csv", BLIND)
    for name in ('a"b,c\nd\r\0e', "x" * 5000, "", "=1+1"):
        ballots.vote(name, 0, "realism", "left")
    ballots.close()
    assert [found.voter for found in read_votes(tmp_path / "votes.csv")] == [found.voter for found in ballots.votes]
    assert max(len(found.voter) for found in ballots.votes) <= 60 and ballots.votes[2].voter == "anonymous"


@pytest.mark.parametrize(
    "content, words",
    [
        ("a,b,c\n", "line 1"),
        ("secret diary\n", "line 1"),
        (",".join(module.COLUMNS) + "\nAda,0,x,a\n", "line 2: got 4 cells"),
        (",".join(module.COLUMNS) + "\nAda,0,x,a,realism,left,b\n", "does not follow"),
        (",".join(module.COLUMNS) + "\nAda,-1,x,a,realism,left,a\n", "line 2"),
        (",".join(module.COLUMNS) + "\nAda,0,x,z,realism,left,a\n", "line 2"),
    ],
)
def test_a_file_that_holds_something_else_is_said_and_never_changed(tmp_path, content, words):
    (tmp_path / "votes.csv").write_text(content)
    for read in (lambda: read_votes(tmp_path / "votes.csv"), lambda: Ballots(tmp_path / "votes.csv", BLIND)):
        with pytest.raises(SourceError, match=words):
            read()
    assert (tmp_path / "votes.csv").read_text() == content


def test_someone_s_notes_without_a_line_end_are_not_overwritten(tmp_path):
    (tmp_path / "votes.csv").write_text("my only copy")
    with pytest.raises(SourceError, match="choose another name"):
        Ballots(tmp_path / "votes.csv", BLIND)
    assert (tmp_path / "votes.csv").read_text() == "my only copy"


def test_a_full_file_takes_no_more(tmp_path, monkeypatch):
    ballots = Ballots(tmp_path / "votes.csv", BLIND)
    monkeypatch.setattr(module, "LARGEST_BYTES", 100)
    with pytest.raises(SinkError, match="is full"):
        for trial in range(9):
            ballots.vote("Ada", trial, "realism", "left")
    ballots.close()


def test_a_place_that_cannot_be_written_to_is_said(tmp_path):
    with pytest.raises(SinkError, match="cannot be written"):
        Ballots(tmp_path, BLIND)


def test_the_report_goes_by_what_is_preferred_not_by_sides():
    cast = [vote("Ada", trial, "lip-sync", "a") for trial in range(8)] + [vote("Ada", 8, "lip-sync", "tie")]
    lips, realism = report(cast)
    assert (lips.a, lips.b, lips.ties, lips.share_a, lips.voters) == (8, 0, 1, 1.0, 1)
    assert lips.decided and lips.low > 0.5
    assert math.isnan(realism.share_a) and (realism.low, realism.high) == (0, 1) and not realism.decided


def test_an_answer_that_was_changed_counts_once_and_people_count_apart():
    lips = report([vote("Ada", 0, "lip-sync", "a"), vote("Ada", 0, "lip-sync", "b"), vote("Bob", 0, "lip-sync", "b")])[
        0
    ]
    assert (lips.a, lips.b, lips.voters) == (0, 2, 2)


def votes_for(a: int, b: int, ties: int) -> list[Vote]:
    """So many answers about the lips, each from a voter of its own."""
    answers = ["a"] * a + ["b"] * b + ["tie"] * ties
    return [vote(f"voter {number}", number % 9, "lip-sync", prefers) for number, prefers in enumerate(answers)]


@pytest.mark.parametrize(
    "a, b, ties, words",
    [
        (0, 0, 0, "undecided, no votes yet (pmmtalk-live 0, loudness 0, no difference 0; 0 voters)"),
        (0, 0, 3, "undecided, every answer is no difference (pmmtalk-live 0, loudness 0, no difference 3; 3 voters)"),
        (
            1,
            1,
            0,
            "undecided, even, 50 % (95 % confidence: 9 to 91 %) each (pmmtalk-live 1, loudness 1, no difference 0; 2 "
            "voters)",
        ),
        (
            5,
            5,
            4,
            "undecided, even, 50 % (95 % confidence: 24 to 76 %) each (pmmtalk-live 5, loudness 5, no difference 4; "
            "14 voters)",
        ),
        (
            1,
            0,
            1,
            "undecided, pmmtalk-live has 100 % (95 % confidence: 21 to 100 %), which may be chance "
            "(pmmtalk-live 1, loudness 0, no difference 1; 2 voters)",
        ),
        (
            2,
            5,
            0,
            "undecided, loudness has 71 % (95 % confidence: 36 to 92 %), which may be chance "
            "(pmmtalk-live 2, loudness 5, no difference 0; 7 voters)",
        ),
        (
            0,
            9,
            0,
            "loudness is preferred by 100 % (95 % confidence: 70 to 100 %) (pmmtalk-live 0, loudness 9, no difference "
            "0; 9 voters)",
        ),
        (
            20,
            5,
            9,
            "pmmtalk-live is preferred by 80 % (95 % confidence: 61 to 91 %) "
            "(pmmtalk-live 20, loudness 5, no difference 9; 34 voters)",
        ),
    ],
)
def test_the_report_says_who_is_preferred_only_where_the_interval_leaves_out_one_half(a, b, ties, words):
    assert sentences(BLIND, report(votes_for(a, b, ties)))[0] == f"lip-sync: {words}"


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 5))
def test_an_interval_that_spans_one_half_is_undecided_and_neither_side_ahead(a, b, ties):
    found = report(votes_for(a, b, ties))[0]
    said = sentences(BLIND, [found])[0]
    assert found.decided == (not found.low <= 0.5 <= found.high)
    assert ("undecided" in said, "is preferred by" in said, "ahead" in said) == (
        not found.decided,
        found.decided,
        False,
    )


@pytest.mark.parametrize(
    "hits, of, low, high",
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_wilson_s(hits, of, low, high):
    """The figures that R. G. Newcombe gives for method 3: Two-sided confidence intervals for the single proportion
    (1998), table I."""
    assert wilson(hits, of) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_interval_holds_the_share_mirrors_and_solves_its_definition(hits, misses):
    of = hits + misses
    low, high = wilson(hits, of)
    assert 0 <= low <= high <= 1
    if of:
        assert low - 1e-12 <= hits / of <= high + 1e-12
        assert wilson(misses, of) == (pytest.approx(1 - high), pytest.approx(1 - low))
        for edge in (low, high):
            if 1e-6 < edge < 1 - 1e-6:
                assert abs(hits / of - edge) == pytest.approx(
                    Z_95 * math.sqrt(edge * (1 - edge) / of), rel=1e-6, abs=1e-9
                )


def test_an_impossible_count_is_an_error():
    with pytest.raises(ValueError, match="hits"):
        wilson(3, 2)


@pytest.mark.skipif(os.name == "nt" or not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_is_said_and_the_vote_not_counted(tmp_path, monkeypatch):
    ballots = Ballots(tmp_path / "votes.csv", BLIND)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, ballots._file)
    os.close(full)
    with pytest.raises(SinkError, match="was not counted"):
        ballots.vote("Ada", 0, "realism", "left")
    assert ballots.votes == []
    ballots.close()
