"""Checkpoint folders: where they are, which files they hold, and the check of these against their sha256 sums. No
pickle is ever read."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import platformdirs
import yaml

from speech_to_face.base import ModelError

SUMS = "SHA256SUMS"
WEIGHTS, GRAPH, CONFIG, CARD = "model.safetensors", "step.onnx", "config.yaml", "CARD.md"
SHIPPED = Path(__file__).parent / "checkpoints"
LARGEST_BYTES = 4 << 30
"""Largest weights file that is accepted."""


ABSENT = {
    "pmmtalk": "no weights of it are public: train one (livelink-bridge train --model pmmtalk --begin PART), from "
    "parts that "
    "`livelink-bridge models download xlsr-53 --revision HASH` and `... download xlsr-53-chinese` fetch; pmmtalk-live "
    "is shipped",
    "codetalker": "the public weights move a mesh, no blendshapes (livelink-bridge models convert FILE reads them): "
    "train one for faces "
    "(livelink-bridge train --model codetalker), or take --model codetalker-mini",
    "dualtalker": "no weights of it are public: train one (livelink-bridge train --model dualtalker), or take --model "
    "dualtalker-mini",
}
"""Systems whose weights at their papers' size are not public: what to do instead."""


def names() -> list[str]:
    """Names of the shipped models, sorted."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{CONFIG}"))


def default_models_dir() -> Path:
    """Folder of the installed models: LIVELINK_BRIDGE_MODELS_DIR, or the system's folder for a user's data.

    Not the folder of settings, which on Windows roams between machines: models take gigabytes.
    """
    given = os.environ.get("LIVELINK_BRIDGE_MODELS_DIR")
    if given:
        return Path(given).expanduser()
    return platformdirs.user_data_path("livelink-bridge", appauthor=False) / "models"


def installed(models_dir: Path | None = None) -> list[Path]:
    """Folders of the models in the models' folder, sorted; empty where there is no such folder."""
    return sorted(path.parent for path in (models_dir or default_models_dir()).expanduser().glob(f"*/{CONFIG}"))


def find(name: str, models_dir: Path | None = None) -> Path:
    """Folder of a shipped model, of one in the models' folder, or of the path given. Raises ModelError that lists the
    known ones."""
    kept = (models_dir or default_models_dir()).expanduser()
    named = (
        [SHIPPED / name, kept / name] if Path(name).name == name else []
    )  # a path is relative to the working directory, never to one of these
    for folder in (*named, Path(name).expanduser()):
        if os.path.isfile(folder / CONFIG):  # Path.is_file raises where one may not look
            return folder
    if name in ABSENT:
        raise ModelError(
            f"model {name!r} is not here: {ABSENT[name]}; a trained one is {CONFIG}, {WEIGHTS} and {SUMS} in "
            f"{kept / name}"
        )
    if os.path.isdir(name):
        raise ModelError(f"model folder {name}: no {CONFIG} in it; a checkpoint holds {CONFIG}, {WEIGHTS} and {SUMS}")
    known = dict.fromkeys([*names(), *(folder.name for folder in installed(kept))])
    raise ModelError(
        f"unknown model {name!r}: expected one of {', '.join(known)}, or a folder with {CONFIG} and {WEIGHTS}"
    )


def verify(folder: Path) -> None:
    """Compare every file with its sha256 sum. Raises ModelError for the first that is missing, truncated or changed."""
    for name, wanted in _sums(folder).items():
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{path}: missing; install the model again")
        if path.stat().st_size > LARGEST_BYTES:
            raise ModelError(f"{path}: {path.stat().st_size} bytes, more than a checkpoint may have")
        if digest(path) != wanted:
            raise ModelError(
                f"{path}: damaged or changed (its sha256 is not the one in {SUMS}); install the model again"
            )


def system_of(folder: Path) -> str:
    """Kind of network of a checkpoint: the `system` of its config.yaml. Raises ModelError where that cannot be read."""
    return str(values_of(folder).get("system", "pmmtalk"))


def values_of(folder: Path) -> dict[str, Any]:
    """Keys and values of a checkpoint's config.yaml, of any system, unchecked. Raises ModelError where they cannot be
    read."""
    try:
        values = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ModelError(
            f"{folder / CONFIG}: not a readable config.yaml ({type(error).__name__}); install the model again"
        ) from error
    if not isinstance(values, dict):
        raise ModelError(f"{folder / CONFIG}: expected keys and values, got {type(values).__name__}")
    return values


def digest(path: Path) -> str:
    """sha256 of a file's bytes, 64 hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS over the config, the weights and the graph."""
    lines = [f"{digest(folder / name)}  {name}" for name in (CONFIG, WEIGHTS, GRAPH) if (folder / name).exists()]
    (folder / SUMS).write_text("\n".join(lines) + "\n", encoding="ascii")


def _sums(folder: Path) -> dict[str, str]:
    try:
        rows = [line.split() for line in (folder / SUMS).read_text(encoding="ascii").splitlines() if line.strip()]
        sums = {name: wanted for wanted, name in rows}
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder / SUMS}: missing or unreadable; a checkpoint lists the sha256 of its files there"
        ) from error
    for needed in (CONFIG, WEIGHTS, *([GRAPH] if (folder / GRAPH).exists() else [])):
        if needed not in sums:
            raise ModelError(f"{folder / SUMS}: no sum for {needed}; install the model again")
    return sums
