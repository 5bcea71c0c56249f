"""Tracks on disk: frames and sound stay in step, and what is not finished does not count."""

import json

import numpy as np
import pytest

from speech_to_face.phones import INDEX, Phone
from speech_to_face.streaming.features import LogMel
from speech_to_face_lab.tracks import GRAIN, PARTS, About, pause, read_tracks, whole_grains, write_track

REST = np.full(32, 0.01, np.float32)


def test_a_clip_is_cut_to_whole_grains_with_three_frames_each():
    piece = whole_grains(
        np.ones(5 * GRAIN + 799, np.float32), np.ones((18, 32), np.float32), np.arange(18), np.ones(18, np.float32)
    )
    assert len(piece.samples) == 5 * GRAIN and piece.labels.dtype == np.uint8
    assert len(piece.curves) == len(piece.labels) == len(piece.sealed) == 15


@pytest.mark.parametrize("seconds", [0.0, 0.3, 1.234])
def test_a_pause_is_silence_at_rest(seconds):
    piece = pause(seconds, REST)
    assert len(piece.samples) % GRAIN == 0 and len(piece.samples) == pytest.approx(seconds * 16_000, abs=GRAIN)
    assert not piece.samples.any() and not piece.sealed.any() and set(piece.labels) == {INDEX["SIL"]}
    np.testing.assert_array_equal(piece.curves, np.tile(REST, (len(piece.samples) // GRAIN * 3, 1)))


def test_sound_and_frames_stay_in_step_over_many_pieces_of_odd_lengths(tmp_path, make_piece):
    rng, pieces = np.random.default_rng(0), []
    for _ in range(40):
        vowel, end = float(rng.uniform(0.1, 0.3)), float(rng.uniform(0.31, 0.47))
        pieces += [make_piece((Phone("AA", 0, vowel), Phone("PB", vowel, end)))]
    frames = write_track(tmp_path, "long", About("recorded"), pieces)
    (track,) = read_tracks(tmp_path, held=False)
    whole = LogMel().push(np.concatenate([piece.samples for piece in pieces]))
    assert (
        frames
        == len(whole)
        == len(track.mel)
        == len(track.curves)
        == len(track.labels)
        == len(track.sealed)
        == track.about.frames
    )
    np.testing.assert_allclose(track.mel, whole, atol=2e-3)
    loud = np.asarray(track.mel[:-1].mean(-1) > -1.2)
    assert (loud == (track.labels[:-1] == INDEX["AA"])).mean() > 0.85, "a vowel's features are where its label is"
    last = slice(len(loud) - 60, None)
    assert (loud[last] == (track.labels[:-1][last] == INDEX["AA"])).mean() > 0.8, "the last second as well as the first"


def test_a_track_comes_back_as_it_was_laid_down_as_memory_maps(tmp_path, make_piece):
    about, piece = About("people", rig="facegood", held=True), make_piece()
    holed = np.where(np.arange(32) == 3, np.nan, piece.curves)
    write_track(tmp_path, "t", about, [whole_grains(piece.samples, holed, piece.labels, piece.sealed)])
    (track,) = read_tracks(tmp_path, held=True)
    assert (track.name, track.about.group, track.about.rig, track.about.held) == ("t", "people", "facegood", True)
    assert all(isinstance(getattr(track, part), np.memmap) for part in PARTS)
    np.testing.assert_allclose(track.curves, holed, atol=1e-3)
    np.testing.assert_array_equal(track.labels, piece.labels)


def test_a_track_that_was_not_finished_does_not_count(tmp_path, make_piece):
    def broken():
        yield make_piece()
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        write_track(tmp_path, "t", About("recorded"), broken())
    write_track(tmp_path, "whole", About("recorded"), [make_piece()])
    assert [track.name for track in read_tracks(tmp_path, held=False)] == ["whole"]
    write_track(tmp_path, "t", About("recorded"), [make_piece()])
    (tmp_path / "t.json").unlink()
    assert [track.name for track in read_tracks(tmp_path, held=False)] == ["whole"], (
        "all arrays are there, the JSON is not"
    )


def test_the_json_comes_last(tmp_path, make_piece, monkeypatch):
    order = []
    save, dump = np.save, json.dumps
    monkeypatch.setattr(np, "save", lambda path, values: order.append("array") or save(path, values))
    monkeypatch.setattr(json, "dumps", lambda value: order.append("json") or dump(value))
    write_track(tmp_path, "t", About("recorded"), [make_piece()])
    assert order == ["array"] * len(PARTS) + ["json"]


def test_held_out_tracks_are_apart_and_names_can_be_left_out(tmp_path, make_piece):
    for name, held in (("a-0", False), ("espeak-0", False), ("real-x-0", False), ("a-held", True)):
        write_track(tmp_path, name, About("recorded", held=held), [make_piece()])
    assert [t.name for t in read_tracks(tmp_path, held=False)] == ["a-0", "espeak-0", "real-x-0"]
    assert [t.name for t in read_tracks(tmp_path, held=True)] == ["a-held"]
    assert [t.name for t in read_tracks(tmp_path, held=False, without=("real", "esp"))] == ["a-0"]
