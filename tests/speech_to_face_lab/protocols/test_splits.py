from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from speech_to_face.base import ModelError
from speech_to_face_lab.protocols.splits import (
    FILE,
    PARTS,
    Split,
    cross_gender,
    cross_subject,
    read_split,
    split,
    write_split,
)

PEOPLE = {f"{sex}{i:02}": {"F": "female", "M": "male"}[sex] for sex in "FM" for i in range(10)}


@dataclass(frozen=True)
class OfSubject:
    subject: str


def parts(made: Split) -> list[set[str]]:
    return [set(made.part(name)) for name in PARTS]


@pytest.mark.parametrize("protocol", ["cross-subject", "cross-gender"])
def test_no_identity_is_in_two_parts_and_none_is_lost(protocol: str) -> None:
    for seed in range(5):
        train, validation, test = parts(split(protocol, PEOPLE, seed))
        assert not train & validation and not train & test and not validation & test
        assert train | validation | test == set(PEOPLE)


def test_cross_subject_is_sixty_twenty_twenty() -> None:
    assert [len(part) for part in parts(cross_subject(tuple(PEOPLE)))] == [12, 4, 4]
    assert [len(part) for part in parts(cross_subject(("a", "b", "c")))] == [1, 1, 1]


def test_cross_gender_trains_on_men_and_judges_by_women() -> None:
    made = cross_gender(PEOPLE, seed=3)
    assert {PEOPLE[name] for name in made.train} == {"male"}
    assert {PEOPLE[name] for name in made.validation + made.test} == {"female"}
    assert (len(made.validation), len(made.test)) == (5, 5)


def test_a_split_hangs_on_the_seed_and_not_on_the_order_of_the_subjects() -> None:
    names = tuple(PEOPLE)
    assert cross_subject(names, 1) == cross_subject(names[::-1], 1)
    assert cross_subject(names, 1).test != cross_subject(names, 2).test
    assert cross_gender(PEOPLE, 1).test != cross_gender(PEOPLE, 2).test


def test_the_split_of_a_seed_is_the_same_on_every_machine() -> None:
    assert cross_subject(tuple("abcde"), 0).test == ("a",)


def test_a_split_written_into_a_run_reads_back(tmp_path: Path) -> None:
    made = split("cross-gender", PEOPLE, 7)
    assert write_split(made, tmp_path) == tmp_path / FILE
    assert read_split(tmp_path) == made


def test_a_split_edited_so_that_a_subject_is_in_two_parts_is_refused(tmp_path: Path) -> None:
    made = split("cross-subject", PEOPLE)
    path = write_split(made, tmp_path)
    path.write_text(path.read_text().replace(made.test[0], made.train[0]), encoding="utf-8")
    with pytest.raises(ModelError, match=f"{made.train[0]!r} is there twice"):
        read_split(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("protocol: cross-subject\n", "expected protocol, seed, train, validation and test"),
        ("- a\n", "got list"),
        ("protocol: other\nseed: 0\ntrain: [a]\nvalidation: [b]\ntest: [c]\n", "got 'other'"),
        (
            "protocol: cross-subject\nseed: 0\ntrain: [a]\nvalidation: []\ntest: [c]\n",
            "no subject is in its validation part",
        ),
        ("protocol: cross-subject\nseed: 0\ntrain: abc\nvalidation: [b]\ntest: [c]\n", "part train: expected a list"),
        ("protocol: cross-subject\nseed: many\ntrain: [a]\nvalidation: [b]\ntest: [c]\n", "got seed 'many'"),
        ("{", "cannot be read"),
    ],
)
def test_a_file_that_is_no_split_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=said) as caught:
        read_split(tmp_path)
    assert "\n" not in str(caught.value)
    (tmp_path / FILE).unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        read_split(tmp_path)


def test_clips_of_a_part_are_those_of_its_subjects() -> None:
    made = Split("cross-subject", 0, ("a",), ("b",), ("c",))
    clips = [OfSubject(name) for name in "abcba"]
    assert [clip.subject for clip in made.of("train", clips)] == ["a", "a"]
    assert [clip.subject for clip in made.of("test", clips)] == ["c"]


def test_a_subject_missing_from_the_protocol_or_from_the_data_is_told() -> None:
    made = Split("cross-subject", 0, ("a",), ("b",), ("c",))
    with pytest.raises(ModelError, match="'d' is in none of its parts"):
        made.of("train", [OfSubject(name) for name in "abcd"])
    with pytest.raises(ModelError, match="no clip of subject 'c' of its test part"):
        made.of("test", [OfSubject(name) for name in "ab"])
    with pytest.raises(ModelError, match="got part 'dev'"):
        made.of("dev", [])


def test_too_few_subjects_or_unknown_genders_are_told() -> None:
    with pytest.raises(ModelError, match="got 2 subjects, expected at least 3"):
        cross_subject(("a", "b"))
    with pytest.raises(ModelError, match="gender of subject 'x' is not known"):
        cross_gender({**PEOPLE, "x": ""})
    with pytest.raises(ModelError, match="got 0 male and 2 female"):
        cross_gender({"a": "female", "b": "female"})
    with pytest.raises(ModelError, match="got 'leave-one-out'"):
        split("leave-one-out", PEOPLE)


def test_parts_are_checked_when_a_split_is_made() -> None:
    made = split("cross-subject", PEOPLE)
    with pytest.raises(ModelError, match="is there twice"):
        replace(made, test=(*made.test, made.validation[0]))
