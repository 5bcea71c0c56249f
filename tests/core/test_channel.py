import threading

import pytest

from livelink_bridge.core.channel import Channel, Closed


def test_items_come_out_in_the_order_they_went_in():
    channel: Channel[int] = Channel(3)
    for item in range(3):
        assert channel.put(item)
    assert [channel.get(0) for _ in range(3)] == [0, 1, 2]


def test_a_full_live_channel_drops_its_oldest_and_counts_it():
    channel: Channel[int] = Channel(2, "newest")
    for item in range(5):
        channel.put(item)
    channel.close()
    assert list(channel) == [3, 4]
    assert channel.dropped == 3


def test_a_full_waiting_channel_holds_its_writer_until_there_is_room():
    channel: Channel[int] = Channel(2, "wait")
    writer = threading.Thread(target=lambda: [channel.put(item) for item in range(50)] and channel.close())
    writer.start()
    assert list(channel) == list(range(50))
    writer.join(5)
    assert channel.dropped == 0


def test_closing_wakes_a_waiting_writer_and_ignores_its_item():
    channel: Channel[int] = Channel(1, "wait")
    channel.put(1)
    answers: list[bool] = []
    writer = threading.Thread(target=lambda: answers.append(channel.put(2)))
    writer.start()
    channel.close()
    writer.join(5)
    assert answers == [False]
    assert list(channel) == [1]


def test_a_reader_drains_what_is_left_and_then_learns_the_end():
    channel: Channel[int] = Channel(2)
    channel.put(7)
    channel.close()
    channel.close()
    assert not channel.put(8)
    assert channel.get(0) == 7
    with pytest.raises(Closed):
        channel.get(0)


def test_closing_wakes_a_waiting_reader():
    channel: Channel[int] = Channel(1)
    ended = threading.Event()
    reader = threading.Thread(target=lambda: (list(channel), ended.set()))
    reader.start()
    channel.close()
    assert ended.wait(5)
    reader.join(5)


def test_waiting_in_vain_ends_in_a_timeout():
    with pytest.raises(TimeoutError, match="0.01 s"):
        Channel(1).get(0.01)


def test_take_while_stops_at_the_first_unwanted_item():
    channel: Channel[int] = Channel(5)
    for item in (1, 2, 9, 3):
        channel.put(item)
    assert channel.take_while(lambda item: item < 5) == [1, 2]
    assert channel.take_while(lambda item: item < 5) == []
    assert len(channel) == 2


@pytest.mark.parametrize(("capacity_ms", "item_ms", "items"), [(250, 10, 25), (250, 1000 / 240, 60), (5, 10, 1)])
def test_a_capacity_in_milliseconds_is_converted_once(capacity_ms, item_ms, items):
    assert Channel.of_ms(capacity_ms, item_ms).capacity == items


def test_a_channel_without_room_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        Channel(0)
