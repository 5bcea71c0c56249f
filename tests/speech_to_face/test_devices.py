import pytest

from speech_to_face import devices
from speech_to_face.base import ModelError


def machine(monkeypatch, *have: str) -> None:
    monkeypatch.setattr(devices, "_has", lambda device: device in have)


@pytest.mark.parametrize(("have", "chosen"), [((), "cpu"), (("mps",), "mps"), (("cuda", "mps"), "cuda")])
def test_auto_takes_cuda_then_mps_then_the_cpu(monkeypatch, have, chosen):
    machine(monkeypatch, *have)
    assert devices.choose("auto") == chosen


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_missing_device_says_what_it_needs(monkeypatch, device):
    machine(monkeypatch)
    with pytest.raises(ModelError, match=f"'{device}' is not available here .*--device cpu"):
        devices.choose(device)


def test_an_unknown_device_lists_the_known_ones():
    with pytest.raises(ModelError, match="auto, cpu, cuda, mps"):
        devices.choose("tpu")


def test_a_cpu_build_of_torch_rules_cuda_out_without_importing_it(monkeypatch):
    monkeypatch.setattr(devices, "version", lambda _: "2.13.0+cpu")
    monkeypatch.setattr(devices, "_torch_cuda", lambda: pytest.fail("torch was asked"))
    assert devices.choose("auto") in ("cpu", "mps")
