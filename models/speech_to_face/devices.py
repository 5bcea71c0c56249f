"""Choice of the device a network runs on. Torch, whose import takes over a second, is imported only where it has to be
asked."""

from __future__ import annotations

import ctypes.util
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from speech_to_face.base import ModelError

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose(wanted: str) -> str:
    """ "cpu", "cuda" or "mps" for one of `DEVICES`. Raises ModelError for a device that this machine lacks."""
    if wanted not in DEVICES:
        raise ModelError(f"unknown device {wanted!r}: expected one of {', '.join(DEVICES)}")
    if wanted == "auto":
        return next((device for device in ("cuda", "mps") if _has(device)), "cpu")
    if wanted != "cpu" and not _has(wanted):
        raise ModelError(
            f"device {wanted!r} is not available here ({_why_not(wanted)}); use --device auto or --device cpu"
        )
    return wanted


def _has(device: str) -> bool:
    if device == "cuda":
        return _cuda_possible() and _torch_cuda()
    return sys.platform == "darwin" and platform.machine() == "arm64" and _torch_mps()


def _cuda_possible() -> bool:
    """False for a CPU build of torch, and without an NVIDIA driver."""
    try:
        build = version("torch")
    except PackageNotFoundError:
        return False
    driver = (
        Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists()
        if sys.platform == "linux"
        else ctypes.util.find_library("nvcuda")
    )
    return not build.endswith("+cpu") and bool(driver)


def _torch_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def _torch_mps() -> bool:
    import torch

    return torch.backends.mps.is_available()


def _why_not(device: str) -> str:
    if device == "mps":
        return "it needs a Mac with Apple silicon"
    return "it needs an NVIDIA driver and a CUDA build of torch, see https://pytorch.org/get-started/locally"
