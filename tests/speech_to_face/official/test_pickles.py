from __future__ import annotations

import collections
import io
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from speech_to_face.base import ModelError
from speech_to_face.official.pickles import read_pickle


def write(path: Path, value: object, protocol: int = 2) -> Path:
    path.write_bytes(pickle.dumps(value, protocol))
    return path


PLAIN = {
    "FaceTalk": np.arange(6, dtype=np.float64).reshape(2, 3),
    "audio": np.array([1, -2], np.int16),
    "text": np.array(["left", "right"]),
    "sample_rate": 22000,
    "half": 0.5,
    "number": np.float32(1.5),
    "names": ["lips", ("a", None, True)],
    "bytes": b"\x00\xff",
    "set": {1, 2},
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_come_back_whatever_wrote_them(tmp_path: Path, protocol: int) -> None:
    found = read_pickle(write(tmp_path / "plain.pkl", PLAIN, protocol))
    assert found.keys() == PLAIN.keys()
    for key, value in PLAIN.items():
        assert np.array_equal(found[key], value) if isinstance(value, np.ndarray) else found[key] == value
    assert found["FaceTalk"].dtype == np.float64 and found["audio"].dtype == np.int16


def test_arrays_of_python_two_come_back(tmp_path: Path) -> None:
    # What Python 2 wrote: module names of its numpy, and an array's memory as a text of bytes.
    memory = struct.pack("<3f", 0.5, -1.0, 200.0)
    escaped = "".join(f"\\x{byte:02x}" for byte in memory)
    text = (
        "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I3\ntcnumpy\ndtype\n(S'f4'\nI0\nI1\ntR"
        "(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'" + escaped + "'\ntb."
    )
    (tmp_path / "old.pkl").write_bytes(text.encode("latin1"))
    assert read_pickle(tmp_path / "old.pkl").tolist() == [0.5, -1.0, 200.0]


class Makes:
    """Would create a folder, or a file, when an ordinary reader loads it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


class Runs(Makes):
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self.path}",)


class Evaluates(Makes):
    def __reduce__(self) -> tuple[object, ...]:
        return eval, (f"__import__('pathlib').Path({str(self.path)!r}).touch()",)


@pytest.mark.parametrize("kind", [Makes, Runs, Evaluates])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_code_in_a_pickle_does_not_run(tmp_path: Path, kind: type[Makes], protocol: int) -> None:
    mark = tmp_path / "was-run"
    path = write(tmp_path / "bad.pkl", {"templates": kind(mark)}, protocol)
    with pytest.raises(ModelError, match=r"it asks for \w+\.\w+, which plain values do not need") as caught:
        read_pickle(path)
    assert "\n" not in str(caught.value)
    assert not mark.exists()
    pickle.load(io.BytesIO(path.read_bytes()))  # the sample is a real one: an ordinary reader runs it
    assert mark.exists()


@pytest.mark.parametrize(
    "value",
    [collections.OrderedDict(a=1), Path("x"), np.random.default_rng, np.ma.array([1])],
    ids=["a subclass of dict", "a path", "a function", "a masked array"],
)
def test_what_is_not_plain_is_refused_before_it_is_made(tmp_path: Path, value: object) -> None:
    with pytest.raises(ModelError, match="it asks for"):
        read_pickle(write(tmp_path / "x.pkl", value))


def test_arrays_of_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="got an array of object"):
        read_pickle(write(tmp_path / "x.pkl", [np.array([{}, None], dtype=object)]))


def test_the_class_of_arrays_is_not_a_value(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="got type"):
        read_pickle(write(tmp_path / "x.pkl", [np.ndarray]))


def test_other_codecs_than_latin_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pkl").write_bytes(b"c_codecs\nencode\n(Vabc\nVutf-16\ntR.")
    with pytest.raises(ModelError, match="it asks for the codec utf-16"):
        read_pickle(tmp_path / "x.pkl")


def test_values_that_hold_themselves_are_read_once(tmp_path: Path) -> None:
    loop: list[object] = []
    loop.append(loop)
    found = read_pickle(write(tmp_path / "x.pkl", loop))
    assert found[0] is found


@pytest.mark.parametrize(
    "data", [b"", b"not a pickle", pickle.dumps(PLAIN)[:-20], b"(((", b"\x80\x04Q.", b"P1\n."], ids=repr
)
def test_a_damaged_file_is_one_line(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.pkl").write_bytes(data)
    with pytest.raises(ModelError, match="x.pkl cannot be read, expected plain values") as caught:
        read_pickle(tmp_path / "x.pkl")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        read_pickle(tmp_path / "none.pkl")
