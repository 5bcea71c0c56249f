"""The process that reads untrusted files: python -m speech_to_face.official.worker FOLDER FILE...; see
`speech_to_face.official.convert`.

The last line of its standard output is its answer, JSON: what it wrote into FOLDER, or {"error": one line}.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from safetensors.torch import save_file

from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.official.convert import ERROR
from speech_to_face.official.mapped import Mapped
from speech_to_face.official.reading import check_finite, read_state, tried
from speech_to_face.official.sandbox import restrict_to

LAYOUTS = ("speech_to_face.networks.codetalker.official", "speech_to_face.networks.pmmtalk.paper.official")
"""Modules that know a public layout; each has `recognised` and `mapped`, see `speech_to_face.official.mapped`."""


def main(arguments: Sequence[str]) -> int:
    """Convert `arguments[1:]` into the folder `arguments[0]`, and print a JSON object; returns the exit code."""
    folder, files = Path(arguments[0]), [Path(file) for file in arguments[1:]]
    layouts = [import_module(name) for name in LAYOUTS]
    _import_what_comes_later()
    restrict_to(folder)
    try:
        said = work(folder, files, layouts)
    except ModelError as error:
        said = {ERROR: str(error)}
    sys.stdout.write(json.dumps(said) + "\n")
    return 0


def work(folder: Path, files: Sequence[Path], layouts: Sequence[Any]) -> dict[str, Any]:
    """Read, map and write; raises ModelError."""
    found = joined([read_mapped(file, layouts) for file in files])
    write(found, folder, files)
    parameters = sum(tensor.numel() for tensor in found.tensors.values())
    return {
        "system": found.system,
        "tensors": len(found.tensors),
        "parameters": parameters,
        "unmapped": list(found.unmapped),
    }


def read_mapped(file: Path, layouts: Sequence[Any]) -> Mapped:
    """One file under our names. Raises ModelError where no layout knows it, or where its numbers are not finite."""
    state, rest = read_state(file)
    check_finite(state, file)
    with tried(file):
        layout = next((one for one in layouts if one.recognised(state)), None)
        if layout is None:
            keys = ", ".join(sorted(state)[:3])
            raise ModelError(f"{file}: no layout that is known here; its {len(state)} tensors begin with {keys}")
        found: Mapped = layout.mapped(state)
    return replace(found, unmapped=(*found.unmapped, *rest))


def joined(parts: Sequence[Mapped]) -> Mapped:
    """Files of one model as one: a later one's tensors go over an earlier one's. Raises ModelError for parts of
    different models.

    `parts` in their configs, names of what a file holds, are put together; every other key that two of them have has to
    agree.
    """
    whole = parts[0]
    for part in parts[1:]:
        if part.system != whole.system:
            raise ModelError(
                f"the files belong to different systems, {whole.system} and {part.system}; convert each by itself"
            )
        differing = [
            key
            for key in whole.config.keys() & part.config.keys()
            if key != "parts" and whole.config[key] != part.config[key]
        ]
        if differing:
            key = sorted(differing)[0]
            raise ModelError(
                f"the files are of different sizes: {key} is {whole.config[key]} in one and {part.config[key]} in "
                "another"
            )
        config = {**whole.config, **part.config}
        if "parts" in whole.config:
            config["parts"] = list(dict.fromkeys([*whole.config["parts"], *part.config.get("parts", ())]))
        whole = Mapped(whole.system, config, {**whole.tensors, **part.tensors}, (*whole.unmapped, *part.unmapped))
    return whole


def write(found: Mapped, folder: Path, files: Sequence[Path]) -> None:
    """The checkpoint folder. Raises ModelError where it cannot be written."""
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in found.config.items()}
    text = yaml.safe_dump({"system": found.system, **plain}, sort_keys=False, allow_unicode=True, width=140)
    try:
        # A copy each: tensors of the file may share memory, which safetensors does not store.
        save_file(
            {name: tensor.detach().clone().contiguous() for name, tensor in found.tensors.items()},
            folder / checkpoint.WEIGHTS,
        )
        (folder / checkpoint.CONFIG).write_text(text, encoding="utf-8")
        (folder / checkpoint.CARD).write_text(card(found, files), encoding="utf-8")
        checkpoint.write_sums(folder)
    except OSError as error:
        raise ModelError(f"{folder} cannot be written: {error.strerror or error}") from error


def card(found: Mapped, files: Sequence[Path]) -> str:
    """CARD.md: what the folder is and where it comes from."""
    sources = "\n".join(f"- `{file.name}`, sha256 {checkpoint.digest(file)}" for file in files)
    lost = f"\n\n{len(found.unmapped)} entries of the files are not in here." if found.unmapped else ""
    return (
        f"# {found.system}, converted\n\nMade by `livelink-bridge models convert` from\n\n{sources}\n\n"
        f"Licence: that of the files, which is their authors' to say.{lost}\n"
    )


def _import_what_comes_later() -> None:
    """Import modules that libraries load at first use, which the sandbox would refuse."""
    import safetensors.torch
    import torch

    sys.dont_write_bytecode = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import transformers.models.wav2vec2.modeling_wav2vec2  # noqa: F401
    torch.isfinite(torch.zeros(1)).all()
    safetensors.torch.save({"a": torch.zeros(1)})


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)  # libraries clean up at exit with calls that the sandbox refuses
