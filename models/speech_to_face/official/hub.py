"""Public weights from the Hugging Face hub, into the models' folder: by an explicit command only, never during a
session.

One commit is fetched, named by its hash, so that the same command always gives the same bytes. Weights are safetensors
where the commit has them and are otherwise converted; code of a repository is neither fetched nor trusted.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.official.convert import Converted, convert

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""The first of these that a commit has; pickles only through `convert`."""
_HASH = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Source:
    """One source of public weights."""

    repository: str
    """owner/name"""
    revision: str | None
    """Hash of the commit; None where none is pinned, and the user gives it."""
    what: str
    """Which part of which system they are."""
    licence: str


SOURCES = {
    "xlsr-53": Source(
        "facebook/wav2vec2-large-xlsr-53", None, "PMMTalk's audio encoder and decoder, psi_AE and psi_AD", "Apache-2.0"
    ),
    "xlsr-53-chinese": Source(
        "jonatasgrosman/wav2vec2-large-xlsr-53-chinese-zh-cn",
        "99ccb2737be22b8bb50dcfcc39ad4d567fb90cfd",
        "PMMTalk's text decoder, psi_TD, 3503 characters",
        "Apache-2.0",
    ),
    "xlsr-53-english": Source(
        "jonatasgrosman/wav2vec2-large-xlsr-53-english",
        None,
        "a text decoder for English, psi_TD, 33 characters",
        "Apache-2.0",
    ),
}
"""Sources by their name in `models download`; any other repository is given as owner/name, with its revision."""


def source_of(name: str, revision: str | None = None) -> Source:
    """The source of a name and an optional revision. Raises ModelError for an unknown name and where the revision is
    missing."""
    if name in checkpoint.names():
        raise ModelError(f"model {name!r} is shipped with the program; there is nothing to download")
    if name in checkpoint.ABSENT:
        raise ModelError(f"no weights of {name!r} that drive a face are public; {checkpoint.ABSENT[name]}")
    if name not in SOURCES and not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise ModelError(
            f"nothing called {name!r} to download, expected one of {', '.join(SOURCES)}, or a repository's owner/name"
        )
    known = SOURCES.get(name, Source(name, None, "weights of a repository", "the repository's, see its card"))
    chosen = revision or known.revision
    where = f"https://huggingface.co/{known.repository}/commits/main"
    if chosen is None:
        raise ModelError(
            f"no revision of {known.repository} is pinned here: choose a commit at {where} and name it, --revision HASH"
        )
    if not _HASH.fullmatch(chosen):
        raise ModelError(
            f"revision {chosen!r}: expected a commit's whole hash, 40 of 0-9 and a-f, since a name may move; see "
            f"{where}"
        )
    return Source(known.repository, chosen, known.what, known.licence)


def download(name: str, models_dir: Path, revision: str | None = None, force: bool = False) -> Converted:
    """Fetch weights and convert them into `models_dir`/NAME (a repository's own name without its owner).

    With HF_HUB_OFFLINE=1 only the hub's cache on this machine is used. Raises ModelError for weights that are not
    available.
    """
    source, folder = source_of(name, revision), models_dir / name.rpartition("/")[2]
    if folder.exists() and not force:
        raise ModelError(f"{folder} exists; it was downloaded before, or overwrite it with --force")
    with tempfile.TemporaryDirectory(prefix="livelink-bridge-") as aside:
        # The cache holds links to files without an ending; the converter reads a name that says what it is.
        fetched = _fetched(source)
        given = Path(aside) / fetched.name
        _at(fetched.resolve(), given)
        made = convert([given], folder, force)
    where = f"https://huggingface.co/{source.repository} at {source.revision}"
    with (folder / checkpoint.CARD).open("a", encoding="utf-8") as card:
        card.write(f"\nFetched from {where}; its licence there: {source.licence}.\n")
    return made


def _fetched(source: Source) -> Path:
    """The weights' file in the hub's cache. Raises ModelError."""
    # Read while the library is imported. Without it each request tells torch's version and which program has started
    # this one, and a list of such programs is fetched first.
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
    except ImportError as error:
        raise ModelError("downloading needs the package huggingface_hub: pip install huggingface_hub") from error
    fetch: Callable[..., Any] = hf_hub_download
    for name in WEIGHTS:
        try:
            return Path(fetch(source.repository, name, revision=source.revision))
        except LocalEntryNotFoundError as error:  # a kind of the next: what is not cached may still be there
            missing: Exception = error
        except EntryNotFoundError as error:
            missing = error
        except (OSError, ValueError) as error:
            raise ModelError(f"{source.repository} at {source.revision}: {_why(error)}") from error
    raise ModelError(
        f"{source.repository} at {source.revision}: no {' and no '.join(WEIGHTS)} to be had: {_why(missing)}"
    ) from missing


def _why(error: Exception) -> str:
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return (
            "HF_HUB_OFFLINE is set and the hub's cache on this machine does not hold it; fetch it on a machine "
            "with a network"
        )
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"


def _at(there: Path, here: Path) -> None:
    """The same file under another name, without a copy where the disk allows."""
    try:
        os.link(there, here)
    except OSError:
        shutil.copyfile(there, here)
