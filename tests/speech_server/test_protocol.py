import json

import pytest

from livelink_bridge.audio.pcm import PcmFormat
from livelink_bridge.errors import BridgeError, UsageError
from livelink_bridge.sources.utterance import Position, UtteranceEnd
from livelink_bridge.speech_server import protocol
from livelink_bridge.speech_server.protocol import Conversation, End, Interrupt, Mood, ProtocolError, Start, parse

START = {"type": "start", "format": "s16le", "rate": 24000, "channels": 1}


def started(**more) -> Conversation:
    conversation = Conversation()
    start = conversation.text(json.dumps(START | more))
    conversation.accept(start, start.subject or "Talker")
    return conversation


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (json.dumps(START), Start(PcmFormat("s16le", 24000, 1))),
        (
            json.dumps(START | {"subject": "Ada", "mood": "happy:0.4", "echo": True}),
            Start(PcmFormat("s16le", 24000, 1), "Ada", "happy:0.4", True),
        ),
        ('{"type": "start", "format": "s16le", "rate": 24000.0, "channels": 1.0}', Start(PcmFormat("s16le", 24000, 1))),
        (json.dumps(START | {"subject": None, "mood": None}), Start(PcmFormat("s16le", 24000, 1))),
        ('{"type": "end"}', End()),
        ('{"type": "interrupt"}', Interrupt()),
        ('{"type": "mood", "mood": "happy:0.4"}', Mood("happy:0.4")),
    ],
)
def test_each_message_is_understood(text, message):
    assert parse(text) == message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected a JSON object"),
        ("{", "expected a JSON object"),
        ("[" * 100_000, "expected a JSON object"),
        ("9" * 5000, "expected a JSON object"),
        ("[1]", "JSON list"),
        ("null", "JSON NoneType"),
        ("{}", "type: got None, expected one of start, end, interrupt, mood"),
        ('{"type": ["end"]}', "type: got"),
        ('{"type": "stop"}', "type: got 'stop', expected one of"),
        ('{"type": "end", "now": true}', "end has no 'now'"),
        (json.dumps(START | {"sample_rate": 1}), "start has no 'sample_rate'; expected format, rate, channels"),
        ('{"type": "start", "format": "s16le", "rate": 24000}', "start lacks channels"),
        (json.dumps(START | {"format": 16}), "format: got 16"),
        (json.dumps(START | {"format": "mp3"}), "format: got 'mp3'"),
        (json.dumps(START | {"rate": 4000}), "rate: got 4000"),
        (json.dumps(START | {"rate": None}), "rate: got None"),
        (json.dumps(START | {"rate": 24000.5}), "rate: got 24000.5, expected a whole number of Hz"),
        (json.dumps(START | {"rate": float("nan")}), "rate: got nan, expected a whole number of Hz"),
        (json.dumps(START | {"rate": True}), "rate: got True, expected a whole number of Hz"),
        (json.dumps(START | {"rate": "24000"}), "rate: got '24000', expected a whole number of Hz"),
        (json.dumps(START | {"rate": "9" * 5000}), "rate: got"),
        (json.dumps(START | {"channels": 1.5}), "channels: got 1.5"),
        (json.dumps(START | {"channels": 6}), "channels: got 6"),
        (json.dumps(START | {"echo": "yes"}), "echo: got 'yes', expected true or false"),
        (json.dumps(START | {"subject": ""}), "subject: got '', expected a name"),
        (json.dumps(START | {"subject": "None"}), "subject: got 'None'"),
        (json.dumps(START | {"subject": 7}), "subject: got 7"),
        (json.dumps(START | {"mood": 0.4}), "mood: got 0.4"),
        ('{"type": "mood"}', "mood: got None, expected text"),
        (json.dumps({"type": "mood", "mood": "x" * 201}), "mood: got"),
    ],
)
def test_what_is_no_message_is_answered_in_one_short_line(text, says):
    with pytest.raises(BridgeError) as error:
        parse(text)
    assert says in str(error.value)
    assert len(str(error.value)) < 200 and "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["end", "interrupt"])
def test_no_message_is_accepted_before_start(kind):
    conversation = Conversation()
    with pytest.raises(ProtocolError, match=f"got '{kind}' before start"):
        conversation.text(json.dumps({"type": kind}))
    with pytest.raises(ProtocolError, match="got audio before a start was accepted"):
        conversation.sound_format()


def test_sound_is_read_as_the_last_start_declared_it():
    conversation = started()
    assert conversation.sound_format() == PcmFormat("s16le", 24000, 1)
    conversation.accept(conversation.text(json.dumps(START | {"format": "f32le", "channels": 2})), "Talker")
    assert conversation.sound_format() == PcmFormat("f32le", 24000, 2)


def test_a_start_that_fails_changes_nothing():
    conversation = started()
    with pytest.raises(UsageError):
        conversation.text(json.dumps(START | {"rate": 1}))
    assert conversation.sound_format() == PcmFormat("s16le", 24000, 1)


def test_a_connection_keeps_its_subject_and_its_echo():
    conversation = started(subject="Ada")
    conversation.text(json.dumps(START | {"subject": "Ada"}))
    conversation.text(json.dumps(START))
    with pytest.raises(ProtocolError, match="subject: got 'Bob', this connection is 'Ada'"):
        conversation.text(json.dumps(START | {"subject": "Bob"}))
    with pytest.raises(ProtocolError, match="echo"):
        conversation.text(json.dumps(START | {"echo": True}))


@pytest.mark.parametrize(
    "starts",
    [
        pytest.param([{"subject": "Ada"}, {}, {"subject": "Ada"}], id="named, left out, named"),
        pytest.param([{}, {"subject": "Talker"}], id="the server's default, named"),
        pytest.param([{"subject": "Ada"}, {"subject": "ADA"}], id="another case"),
        pytest.param([{"echo": True}, {}, {"echo": True}], id="echo left out"),
        pytest.param([{}, {"echo": False}, {"echo": None}], id="no echo left out"),
    ],
)
def test_a_later_start_that_leaves_out_or_repeats_what_holds_is_taken(starts):
    first, *later = starts
    conversation = started(**first)
    assert conversation.started is not None
    subject, echo = conversation.started.subject, conversation.started.echo
    for more in later:
        conversation.accept(conversation.text(json.dumps(START | more)), subject)
        assert (conversation.started.subject, conversation.started.echo) == (subject, echo)


@pytest.mark.parametrize(("first", "changed"), [(True, False), (False, True), (None, True)])
def test_echo_is_chosen_once(first, changed):
    conversation = started(echo=first)
    conversation.accept(conversation.text(json.dumps(START)), "Talker")
    with pytest.raises(ProtocolError, match="echo can only be chosen in the first start"):
        conversation.text(json.dumps(START | {"echo": changed}))


def test_the_servers_messages_are_json_with_a_type():
    assert json.loads(protocol.ready("Ada", 30.0)) == {
        "type": "ready",
        "protocol": 1,
        "subject": "Ada",
        "buffer_s": 30.0,
    }
    assert json.loads(protocol.error("no")) == {"type": "error", "error": "no"}
    assert json.loads(protocol.done(UtteranceEnd(2, "end", 1.23456))) == {
        "type": "done",
        "utterance": 2,
        "reason": "end",
        "played_s": 1.235,
    }
    assert json.loads(protocol.position(Position(1, 0.5, 2.0, 3))) == {
        "type": "position",
        "utterance": 1,
        "played_s": 0.5,
        "buffered_s": 2.0,
        "underruns": 3,
        "dropped_bytes": 0,
    }
    assert json.loads(protocol.audio(PcmFormat("s16le", 24000, 1), 400, 0.123456)) == {
        "type": "audio",
        "format": "s16le",
        "rate": 24000,
        "channels": 1,
        "samples": 400,
        "in_s": 0.1235,
    }
