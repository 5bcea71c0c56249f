"""The Python API has the defaults of the settings, so that a call and a command without options do the same."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from livelink_bridge import animate, stream_to
from livelink_bridge.settings.table import TABLE


@pytest.mark.parametrize("call", [animate, stream_to])
def test_a_parameter_that_is_a_setting_has_its_default(call: Callable[..., Any]) -> None:
    given = {one.name: one.default for one in inspect.signature(call).parameters.values() if one.name in TABLE}
    given.pop("subject", None)  # a program has to name its face
    assert {"model", "device", "seed", "mood"} <= given.keys()
    for name, default in given.items():
        assert default in (None, TABLE[name].default), name
