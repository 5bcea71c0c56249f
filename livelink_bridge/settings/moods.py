"""Moods as users and other programs write them."""

from __future__ import annotations

from arkit_mapping.liveliness.moods import Mood, MoodError
from livelink_bridge.errors import ConfigError


def read_mood(text: object) -> Mood:
    """The mood that `happy:0.4` stands for. Raises ConfigError, one line for the user, for one that does not exist."""
    try:
        return Mood.parse(str(text))
    except MoodError as error:
        raise ConfigError(str(error)) from None
