from __future__ import annotations

import numpy as np
import pytest

from speech_to_face.base import ModelError
from speech_to_face_lab.corpus.captures.npz import read_npz


def empty(path):
    path.touch()


def npy_of_another_name(path):
    with open(path, "wb") as file:
        np.save(file, np.zeros((5, 1)))


def rate_of_every_frame(path):
    np.savez(path, coeffs=np.zeros((5, 1)), names=np.array(["jawOpen"]), fps=np.full(5, 25.0))


def rate_in_words(path):
    np.savez(path, coeffs=np.zeros((5, 1)), names=np.array(["jawOpen"]), fps="fast")


def lag_of_every_frame(path):
    np.savez(path, coeffs=np.zeros((5, 1)), names=np.array(["jawOpen"]), fps=25.0, lag_s=np.zeros(5))


def one_number(path):
    np.savez(path, coeffs=np.array(0.5), names=np.array("jawOpen"), fps=25.0)


BROKEN = [
    (empty, "cannot be read, expected an npz"),
    (npy_of_another_name, "cannot be read, expected an npz"),
    (rate_of_every_frame, r"got fps of shape \(5,\) and type float64, expected one number"),
    (rate_in_words, "got fps of shape .*, expected one number"),
    (lag_of_every_frame, r"got lag_s of shape \(5,\) and type float64, expected one number"),
    (one_number, r"got coeffs of shape \(\)"),
]


@pytest.mark.parametrize(("write", "message"), BROKEN)
def test_a_file_that_is_no_npz_of_curves_is_one_line(write, message, tmp_path):
    write(tmp_path / "a.npz")
    with pytest.raises(ModelError, match=message) as caught:
        read_npz(tmp_path / "a.npz")
    assert "\n" not in str(caught.value) and "a.npz" in str(caught.value)
