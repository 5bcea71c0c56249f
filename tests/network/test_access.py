import pytest

from livelink_bridge.errors import UsageError
from livelink_bridge.network.access import REFUSED_S, Access, ErrorReplies, Limits, TokenBucket, is_loopback

TOKEN = "correct-horse-battery"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_this_machine_needs_no_token(host):
    assert is_loopback(host)
    assert Access(host).refusal("/", [], []) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.20", "studio.example", "localhost.evil.example", ""])
def test_any_other_address_needs_a_token_and_the_error_names_both_options(host):
    with pytest.raises(UsageError, match="--host .*--token") as error:
        Access(host)
    assert error.value.exit_code == 2
    Access(host, TOKEN)


@pytest.mark.parametrize(
    "token", ["", "short", "x" * 15, "with a space in it", "ünïcödé-ünïcödé-ünïcödé", "tab\tseparated-token"]
)
def test_a_token_that_is_none_is_a_usage_error_and_not_repeated(token):
    with pytest.raises(UsageError, match="--token: expected at least 16") as error:
        Access("0.0.0.0", token)
    assert not token or token not in str(error.value)


@pytest.mark.parametrize(
    ("path", "authorization", "known"),
    [
        ("/", [f"Bearer {TOKEN}"], True),
        ("/", [f"bearer {TOKEN}"], True),
        (f"/?token={TOKEN}", [], True),
        (f"/?a=1&token={TOKEN}", [], True),
        ("/", [], False),
        ("/", [TOKEN], False),
        ("/", ["Bearer "], False),
        ("/", [f"Basic {TOKEN}"], False),
        ("/", [f"Bearer {TOKEN}x"], False),
        (f"/?token={TOKEN[:-1]}", [], False),
        (f"/{TOKEN}", [], False),
        ("/?token=%C3%BC%FF", [], False),
    ],
)
def test_with_a_token_only_who_knows_it_comes_in_whatever_page_it_is(path, authorization, known):
    access = Access("0.0.0.0", TOKEN)
    for origins in ([], ["https://evil.example"]):
        refusal = access.refusal(path, authorization, origins)
        assert (refusal is None) == known
        assert refusal is None or refusal[0] == 401


@pytest.mark.parametrize(
    ("origins", "local"),
    [
        ([], True),
        (["http://localhost:8000"], True),
        (["http://127.0.0.1"], True),
        (["https://[::1]:3000"], True),
        (["null"], False),
        (["file://"], False),
        (["https://evil.example"], False),
        (["http://localhost.evil.example"], False),
        (["http://localhost@evil.example"], False),
        (["http://localhost", "https://evil.example"], False),
        (["http://[::1"], False),
        ([""], False),
    ],
)
def test_without_one_only_pages_of_this_machine_come_in(origins, local):
    refusal = Access().refusal("/", [], origins)
    assert (refusal is None) == local
    assert refusal is None or refusal[0] == 403


def test_a_burst_passes_and_then_so_many_a_second():
    allowance = TokenBucket(100, now_s=5.0)
    assert [allowance.wait_s(5.0) for _ in range(100)] == [0.0] * 100
    assert allowance.wait_s(5.0) == pytest.approx(0.01)
    assert allowance.wait_s(5.01) == pytest.approx(0.01)
    assert allowance.wait_s(6.0) == 0.0


def test_an_hour_of_silence_saves_up_no_more_than_a_second():
    allowance = TokenBucket(10, now_s=0.0)
    waits = [allowance.wait_s(3600.0) for _ in range(11)]
    assert waits[9] == 0.0 < waits[10]


@pytest.mark.parametrize("clients", [0, 65, -1])
def test_an_impossible_number_of_clients_is_a_usage_error(clients):
    with pytest.raises(UsageError, match="--clients: got"):
        Limits(clients=clients)


def test_sound_that_is_refused_is_answered_once_a_second_and_the_rest_is_counted():
    refusals = ErrorReplies()
    answers = [refusals.refused("no start", at / 50, audio=True) for at in range(150)]
    assert [answer for answer in answers if answer] == ["no start", *["no start (49 more messages were refused)"] * 2]


def test_refused_text_is_answered_each_time_but_not_the_same_and_not_without_end():
    refusals = ErrorReplies()
    first = [refusals.refused(f"wrong {number}", 0.0, audio=False) for number in range(60)]
    assert [answer is not None for answer in first] == [True] * 10 + [False] * 50
    assert refusals.refused("again", 1.0, audio=False) == "again (50 more messages were refused)"
    assert refusals.refused("sound", 1.5, audio=True) is None, "not beside another error"
    alike = ErrorReplies()
    assert [alike.refused("the same", at_s, audio=False) for at_s in (0.0, 0.9, 1.0)][:2] == ["the same", None]


def test_a_client_that_goes_on_is_to_be_closed():
    refusals = ErrorReplies()
    for at in range(50):
        refusals.refused("no start", at / 10, audio=True)
        assert not refusals.should_close(at / 10)
    refusals.refused("no start", REFUSED_S, audio=True)
    assert refusals.should_close(REFUSED_S)


def test_a_client_that_is_accepted_or_takes_its_time_is_not():
    refusals = ErrorReplies()
    for at_s in range(0, 100, 3):
        refusals.refused("by hand", float(at_s), audio=False)
        assert not refusals.should_close(at_s)
    for at in range(200):
        refusals.refused("no start", 100 + at / 10, audio=True)
        if at % 20 == 0:
            refusals.accepted()
        assert not refusals.should_close(100 + at / 10)
