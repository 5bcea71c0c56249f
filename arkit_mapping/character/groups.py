"""The `smoothing` entry of a character file: numbers for all channels, for a group, or for one channel."""

from __future__ import annotations

from collections.abc import Mapping

from arkit_mapping.channels import CHANNELS_61, MOUTH_32, nearest, pascal
from arkit_mapping.character.delay import check_delay
from arkit_mapping.character.entries import CharacterError, entries, known
from arkit_mapping.character.smoothing import Smoothing

GROUPS: dict[str, tuple[str, ...]] = {
    "all": CHANNELS_61,
    "mouth": (*map(pascal, MOUTH_32), "TongueOut"),
    "eyes": tuple(name for name in CHANNELS_61 if "Eye" in name),
    "brows": tuple(name for name in CHANNELS_61 if name.startswith("Brow")),
    "head": tuple(name for name in CHANNELS_61 if name.startswith("Head")),
}
"""Channel groups. `mouth` includes jaw, cheeks, nose and tongue; `eyes` includes lids, gaze and angles. The groups
together are the 61 channels."""

_NUMBERS = ("min_cutoff_hz", "beta")
_EXPECTED = "{min_cutoff_hz: 3, beta: 30} or off"


def by_channel(smoothings: Mapping[str, Smoothing | None]) -> dict[str, Smoothing | None]:
    """Expand groups to channels, in wire spelling; None is unsmoothed.

    A channel overrides its group, a group overrides `all`. MouthClose uses JawOpen's numbers if only that is named.
    Raises CharacterError for an unknown name, and for numbers that would delay speech too much.
    """
    named = {_channel_or_group(name): smoothing for name, smoothing in smoothings.items()}
    for name, smoothing in named.items():
        if smoothing is not None:
            check_delay(name, smoothing)
    spread = {name: named[group] for group, names in GROUPS.items() if group in named for name in names}
    spread |= {name: smoothing for name, smoothing in named.items() if name not in GROUPS}
    if "JawOpen" in named and "MouthClose" not in named:
        spread["MouthClose"] = named["JawOpen"]
    return spread


def read_smoothings(entry: object) -> dict[str, Smoothing | None]:
    """Parse the `smoothing` entry of a file, by its own names. `off` (false in YAML) is None."""
    given = entries(
        "smoothing", entry, "groups or channels and their numbers, such as {mouth: {min_cutoff_hz: 3, beta: 30}}"
    )
    return {str(name): _smoothing(str(name), numbers) for name, numbers in given.items()}


def _smoothing(name: str, numbers: object) -> Smoothing | None:
    if numbers is None or numbers is False:
        return None
    given = entries(f"smoothing of {name}", numbers, _EXPECTED)
    for key in given:
        known(f"smoothing of {name}: unknown key", key, _NUMBERS)
    if "min_cutoff_hz" not in given:
        raise CharacterError(f"smoothing of {name}: got no min_cutoff_hz, expected {_EXPECTED}")
    try:
        return Smoothing(**given)
    except CharacterError as error:
        raise CharacterError(f"smoothing of {name}: {error}") from None


def _channel_or_group(name: str) -> str:
    if name in GROUPS:
        return name
    if pascal(name) not in CHANNELS_61:
        raise CharacterError(f"smoothing: unknown channel or group {name!r}{nearest(name, (*GROUPS, *CHANNELS_61))}")
    return pascal(name)
