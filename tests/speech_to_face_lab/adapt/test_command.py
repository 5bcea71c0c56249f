"""`livelink-bridge adapt` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from livelink_bridge import cli
from livelink_bridge.commands.models import adapt
from speech_to_face import checkpoint
from speech_to_face_lab.adapt import run as adapting
from speech_to_face_lab.adapt.figures import Row
from speech_to_face_lab.adapt.run import AdaptOptions, Result
from speech_to_face_lab.adapt.verdict import Verdict


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.VERBS, "adapt", cli.with_settings("adapt", adapt.adapt))


def result(better: bool, kept: bool) -> Result:
    verdict = Verdict(
        better, f"{'better' if better else 'not better'} on 30 s of held-out speech: jaw r 0.500 -> 0.750"
    )
    return Result(verdict, kept, [Row("1 held-out takes, 9 s", "jaw r", 0.5, 0.75)], [], [], [], 40, 30, True)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[AdaptOptions]:
    """What the command asked for; nothing is learnt."""
    orders: list[AdaptOptions] = []

    def instead(_files, order, _show, say):
        orders.append(order)
        say("left out: mute: no sound beside it")
        return result(better=True, kept=True)

    monkeypatch.setattr(adapting, "adapt", instead)
    return orders


def test_figures_before_and_after_are_shown_and_how_to_use_the_model(asked, make_take, tmp_path, capsys):
    takes = make_take("line", 1).table.parent
    assert (
        cli.run(
            [
                "adapt",
                "--takes",
                str(takes),
                "--out",
                str(tmp_path / "mine"),
                "--model",
                "pmmtalk-live-tts",
                "--device",
                "cpu",
            ]
        )
        == 0
    )
    said = capsys.readouterr()
    for part in (
        "jaw r",
        "0.500",
        "+0.250",
        "40 steps, then none was better",
        "better on 30 s",
        f"--model {tmp_path / 'mine'}",
    ):
        assert part in said.out
    assert "left out: mute" in said.err
    assert (asked[0].base.name, asked[0].steps) == ("pmmtalk-live-tts", 400)


def test_a_model_that_is_not_better_is_exit_code_1_with_the_verdict_and_what_to_do(
    monkeypatch, make_take, tmp_path, capsys
):
    monkeypatch.setattr(adapting, "adapt", lambda *_: result(better=False, kept=False))
    takes = make_take("line", 1).table.parent
    asked_for = [
        "adapt",
        "--takes",
        str(takes),
        "--out",
        str(tmp_path / "mine"),
        "--model",
        "pmmtalk-live-tts",
        "--device",
        "cpu",
    ]
    assert cli.run(asked_for) == 1
    said = capsys.readouterr()
    assert "+0.250" in said.out and "use it" not in said.out
    (line,) = said.err.strip().splitlines()
    assert "not better on 30 s of held-out speech: jaw r 0.500 -> 0.750" in line
    assert "mine was not written: use --model pmmtalk-live-tts, or --keep-anyway" in line


def test_a_model_of_ones_own_is_named_by_its_folder(monkeypatch, base, make_take, tmp_path, capsys):
    monkeypatch.setattr(adapting, "adapt", lambda *_: result(better=False, kept=False))
    takes = make_take("line", 1).table.parent
    assert (
        cli.run(
            ["adapt", "--takes", str(takes), "--out", str(tmp_path / "mine"), "--model", str(base), "--device", "cpu"]
        )
        == 1
    )
    assert f"use --model {base}, or" in capsys.readouterr().err


def test_one_that_is_kept_anyway_is_not_called_better(monkeypatch, make_take, tmp_path, capsys):
    orders = []
    monkeypatch.setattr(
        adapting, "adapt", lambda _files, order, *_: (orders.append(order), result(better=False, kept=True))[1]
    )
    takes = make_take("line", 1).table.parent
    assert (
        cli.run(["adapt", "--takes", str(takes), "--out", str(tmp_path / "mine"), "--device", "cpu", "--keep-anyway"])
        == 0
    )
    assert orders[0].keep_anyway
    said = capsys.readouterr().out
    assert "not better on 30 s" in said and "kept all the same; use it with" in said


@pytest.mark.parametrize(
    ("out", "reason"),
    [(str(checkpoint.SHIPPED / "pmmtalk-live"), "never changed"), ("pmmtalk-live", "choose another name")],
)
def test_a_shipped_model_is_refused_on_sight(asked, make_take, capsys, out, reason):
    takes = make_take("line", 1).table.parent
    assert cli.run(["adapt", "--takes", str(takes), "--out", out, "--force"]) == 2
    assert reason in capsys.readouterr().err and not asked


def test_who_stops_it_is_told_how_it_goes_on(monkeypatch, make_take, tmp_path, capsys):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(adapting, "adapt", stopped)
    takes = make_take("line", 1).table.parent
    assert cli.run(["adapt", "--takes", str(takes), "--out", str(tmp_path / "mine"), "--device", "cpu"]) == 130
    assert "the same command resumes" in capsys.readouterr().err


def test_a_disk_that_is_full_is_one_line(monkeypatch, make_take, tmp_path, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(adapting, "adapt", full)
    takes = make_take("line", 1).table.parent
    assert cli.run(["adapt", "--takes", str(takes), "--out", str(tmp_path / "mine"), "--device", "cpu"]) == 1
    assert "No space left on device" in capsys.readouterr().err


def test_a_folder_without_takes_is_refused(asked, tmp_path: Path, capsys):
    assert cli.run(["adapt", "--takes", str(tmp_path), "--out", str(tmp_path / "mine")]) == 2
    assert "holds no take, expected .csv" in capsys.readouterr().err and not asked
