"""What a receiver's URI may say, and what is told when it says something else."""

from __future__ import annotations

import pytest

from livelink_bridge.errors import UsageError
from livelink_bridge.network.uri import choice, number, read_uri, switch

OPTIONS = {"rate": number(1, 60, "Hz"), "names": choice("pascal", "camel"), "array": switch}


def test_options_are_read_and_those_not_given_are_missing() -> None:
    address = read_uri("osc://[::1]:9000?rate=30&names=camel&array=on", OPTIONS)
    assert (address.host, address.port) == ("::1", 9000)
    assert address.options == {"rate": 30.0, "names": "camel", "array": True}
    assert read_uri("osc://stage.local:9000", OPTIONS).options == {}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("rat=30", "unknown option 'rat', did you mean 'rate'?; there are rate, names, array"),
        ("rate=often", "rate is 'often', expected a number from 1 to 60 Hz"),
        ("rate=nan", "rate is 'nan', expected a number from 1 to 60 Hz"),
        ("names=snake", "names is 'snake', expected one of pascal, camel"),
        ("array=", "array is '', expected on or off"),
    ],
)
def test_a_wrong_option_is_told_with_what_was_expected(query: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_uri(f"osc://127.0.0.1:9000?{query}", OPTIONS)
    assert str(caught.value) == f"'osc://127.0.0.1:9000?{query}': {told}"


def test_a_scheme_without_options_takes_none() -> None:
    with pytest.raises(UsageError, match="more than a host and a port"):
        read_uri("livelink://127.0.0.1:11111?rate=30")
