"""Error messages of the page: one sentence that names the file of the user, not the path of its copy."""

from __future__ import annotations

import re
from pathlib import Path


def sentence(error: Exception | str) -> str:
    """An error as a sentence of one line: a capital and a full stop."""
    text = " ".join(str(error).split())
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def without_folder(text: str, folder: Path) -> str:
    """The text with every path below the session's folder reduced to the file's name.

    Uploads are in folders with numbers, exports in `exports/NUMBER`, sounds in `sounds`. Known under its own name and
    its real one: the system's temporary folder is often a link.
    """
    for known in {str(folder), str(folder.resolve())}:
        for written in (known, known.replace("\\", "\\\\")):  # a path in quotes, as repr writes it on Windows
            text = re.sub(rf"{re.escape(written)}(?:[/\\]+(?:[0-9]+|exports|sounds)(?=[/\\]))*[/\\]+", "", text)
    return text
