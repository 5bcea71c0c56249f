"""The paper's network at the sizes of `tiny.yaml`, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from paper_pmmtalk import tiny_network, write

from speech_to_face.networks.pmmtalk.paper.network import PaperPMMTalk


@pytest.fixture(scope="package")
def network() -> PaperPMMTalk:
    """Shared: tests that train or change it make their own."""
    return tiny_network(styles=("anna", "ben"))


@pytest.fixture(scope="package")
def folder(network: PaperPMMTalk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("models") / "tiny-paper"
    place.mkdir()
    write(network, place)
    return place
