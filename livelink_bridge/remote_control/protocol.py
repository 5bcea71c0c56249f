"""Remote control without sockets: a message comes in, the stage does it, replies and files to send come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from arkit_mapping.liveliness.moods import Mood
from livelink_bridge.core.clock import Clock
from livelink_bridge.errors import BridgeError
from livelink_bridge.network.peers import Endpoint, Peers
from livelink_bridge.remote_control.interface import RemoteInterface
from livelink_bridge.remote_control.messages import COMMANDS, UNREAL_PORT, ControlError, Fetch, Reply, shown
from livelink_bridge.remote_control.rate_limited_log import RateLimitedLog

SWITCHBOARD_PORT = 6000
"""Where Switchboard listens unless its settings say otherwise."""
NOMINAL = 0
"""The state of a machine that is not too hot, as phones count them."""
_MOST_PEERS = 16
_MOST_SEND_TARGETS = 4
"""Of one peer."""
_MOST_ADDRESSES = 16
_AGAIN_S = 5.0
"""What cannot be done is said again after so long; a take that failed twice in an evening has to be in the log
twice."""

Outcomes = list[Reply | Fetch]
Action = Callable[..., Outcomes]


class _Begun(NamedTuple):
    """As it was asked for: the stage may name and number it otherwise."""

    slate: str | None
    take: int | None
    timecode: str


class RemoteProtocol:
    """What the peers told so far, and what follows from what they say next. Not locked: one thread at a time."""

    def __init__(self, stage: RemoteInterface, peers: Peers, *, clock: Clock, takes: Path | None = None) -> None:
        """`takes` is the folder that takes are recorded into: their paths are told as seen from there."""
        self.heard = 0
        """Messages, whatever became of them."""
        self.complaints = RateLimitedLog(clock)
        self._stage, self._peers, self._takes = stage, peers, takes
        self._send_targets: dict[str, list[Endpoint]] = {}
        self._addresses: list[str] = []
        self._streaming = self._tracking = True
        self._begun: _Begun | None = None
        """The take that was begun from here last."""
        self._actions = self._table()

    def _table(self) -> dict[str, Action]:
        return {
            "accept": lambda _peer: [],
            "set_send_target": self._set_send_target,
            "add_send_target": self._add_send_target,
            "add_address": self._add_address,
            "clear_addresses": self._clear_addresses,
            "rename": self._rename,
            "stream_start": lambda _peer: self._stream(streaming=True),
            "stream_stop": lambda _peer: self._stream(streaming=False),
            "session_start": lambda peer: [*self._stream(tracking=True), *self._reply(peer, "/ARSessionStartConfirm")],
            "session_stop": lambda peer: [*self._stream(tracking=False), *self._reply(peer, "/ARSessionStopConfirm")],
            "battery": lambda peer: self._reply(peer, "/Battery", float(self._stage.battery())),
            "thermals": lambda peer: self._reply(peer, "/Thermals", NOMINAL),
            "set_slate": self._set_slate,
            "slate": lambda peer: self._reply(peer, "/Slate", self._stage.slate),
            "set_take": self._set_take,
            "take": lambda peer: self._reply(peer, "/Take", self._stage.take),
            "record_start": self._record_start,
            "record_stop": self._record_stop,
            "record_cancel": self._record_cancel,
            "mark": self._mark,
            "transport": self._transport,
            "set_mood": self._set_mood,
            "gain": self._gain,
            "calibrate": self._calibrate,
            "mute": self._mute,
            "neutral": self._neutral,
        }

    def hear(self, peer: Endpoint, address: str, arguments: Sequence[object]) -> Outcomes:
        """Do what a message asks; what is to be sent because of it. Whatever is wrong with it is a line of the log,
        never an error."""
        self.heard += 1
        command = COMMANDS.get(address)
        if command is None:
            self.complaints.add(
                f"unknown {address[:100]}", f"{peer} sent {shown(address)}, which nothing here answers to"
            )
            return []
        try:
            return self._actions[command.does](peer, *command.read(arguments))
        except BridgeError as error:
            self.complaints.add(address, f"{address} from {peer}: {error}", again_s=_AGAIN_S)
            return []

    def started_here(self, slate: str, take: int) -> Outcomes:
        """A take was begun on this machine: Switchboard then starts everybody else's."""
        return self._tell_all("/RecordStart", slate, take, "")

    def stopped_here(self) -> Outcomes:
        """A take was ended on this machine."""
        return self._tell_all("/RecordStop")

    def leave(self) -> Outcomes:
        """The last word to whoever listens."""
        return self._tell_all("/AppDeactivated")

    def _reply(self, peer: Endpoint, address: str, *arguments: str | int | float) -> Outcomes:
        """To where the peer wants it. One that has not said so is answered at the port it sent from and at
        Switchboard's."""
        usual = list(dict.fromkeys((peer, Endpoint(peer.host, SWITCHBOARD_PORT))))
        return [Reply(to, address, arguments) for to in self._send_targets.get(peer.host, usual)]

    def _tell_all(self, address: str, *arguments: str | int | float) -> Outcomes:
        everybody = dict.fromkeys(to for targets in self._send_targets.values() for to in targets)
        return [Reply(to, address, arguments) for to in everybody]

    def _set_send_target(self, peer: Endpoint, host: str, port: int) -> Outcomes:
        self._remember(peer, [self._send_target(host, port)])
        return [*self._reply(peer, "/OSCSetSendTargetConfirm"), *self._reply(peer, "/AppActivated")]

    def _add_send_target(self, peer: Endpoint, host: str, port: int) -> Outcomes:
        """Confirmed without arguments: Switchboard's handlers fail on any."""
        target = self._send_target(host, port)
        known = [one for one in self._send_targets.get(peer.host, []) if one != target]
        self._remember(peer, [*known, target][-_MOST_SEND_TARGETS:])
        return [Reply(target, "/OSCAddSendTargetConfirm")]

    def _send_target(self, host: str, port: int) -> Endpoint:
        if not self._peers.allows(host):
            raise ControlError(
                f"{host} is not heard here, so it is not told anything either; name it with --control-allow"
            )
        return Endpoint(host, port)

    def _remember(self, peer: Endpoint, targets: list[Endpoint]) -> None:
        """The newest last; the peer that was silent about this longest is forgotten where there are too many."""
        self._send_targets.pop(peer.host, None)
        self._send_targets[peer.host] = targets
        if len(self._send_targets) > _MOST_PEERS:
            del self._send_targets[next(iter(self._send_targets))]

    def _add_address(self, _peer: Endpoint, host: str, port: int | None) -> Outcomes:
        uri = f"livelink://{host}:{port or UNREAL_PORT}"
        if uri in self._addresses:
            return []
        if len(self._addresses) >= _MOST_ADDRESSES:
            raise ControlError(
                f"{uri} would be one address more than {_MOST_ADDRESSES}, which is the most; clear them first"
            )
        self._stage.add_target(uri)
        self._addresses.append(uri)
        return []

    def _clear_addresses(self, _peer: Endpoint) -> Outcomes:
        self._addresses.clear()
        self._stage.clear_targets()
        return []

    def _rename(self, _peer: Endpoint, subject: str) -> Outcomes:
        self._stage.rename(subject)
        return []

    def _stream(self, *, streaming: bool | None = None, tracking: bool | None = None) -> Outcomes:
        """The app streams while it is told to and its camera follows a face; the second is what ARSession means."""
        self._streaming = self._streaming if streaming is None else streaming
        self._tracking = self._tracking if tracking is None else tracking
        self._stage.stream(self._streaming and self._tracking)
        return []

    def _set_slate(self, peer: Endpoint, slate: str) -> Outcomes:
        self._refuse_while_recording("the slate")
        self._stage.slate = slate
        return self._reply(peer, "/SlateConfirm", slate)

    def _set_take(self, peer: Endpoint, take: int) -> Outcomes:
        self._refuse_while_recording("the take's number")
        self._stage.take = take
        return self._reply(peer, "/TakeConfirm", take)

    def _refuse_while_recording(self, what: str) -> None:
        if self._stage.recording:
            raise ControlError(f"{what} cannot change while a take is being recorded; stop it first")

    def _record_start(self, peer: Endpoint, slate: str | None, take: int | None) -> Outcomes:
        """The same once more is confirmed once more: the first confirmation may have been lost."""
        begun = self._begun
        if not self._stage.recording:
            timecode = self._stage.record_start(slate or self._stage.slate, self._stage.take if take is None else take)
            begun = self._begun = _Begun(slate, take, timecode)
        elif begun is None or (slate, take) != begun[:2]:
            raise ControlError(
                f"got take {take} of {slate!r} while another is being recorded, expected its end; stop it first"
            )
        return self._reply(peer, "/RecordStartConfirm", begun.timecode)

    def _record_stop(self, peer: Endpoint) -> Outcomes:
        """Also of a take that ended by itself, on a full disk: its rows are there."""
        self._begun = None
        take = self._stage.record_stop()
        return self._reply(peer, "/RecordStopConfirm", take.timecode, self._told(take.csv), self._told(take.sound))

    def _record_cancel(self, peer: Endpoint) -> Outcomes:
        self._expect_recording()
        self._begun = None
        return self._reply(peer, "/RecordCancelConfirm", self._stage.record_cancel())

    def _mark(self, peer: Endpoint, text: str | None) -> Outcomes:
        self._expect_recording()
        return self._reply(peer, "/RecordAddMarkConfirm", self._stage.mark(text or ""))

    def _expect_recording(self) -> None:
        if not self._stage.recording:
            raise ControlError("nothing is being recorded")

    def _told(self, path: Path | None) -> str:
        """A file as `/Transport` takes it: from the folder of takes on, with forward slashes. Empty for none."""
        if path is None:
            return ""
        if self._takes and path.is_relative_to(self._takes):
            return path.relative_to(self._takes).as_posix()
        return str(path)

    def _transport(self, peer: Endpoint, to: Endpoint, path: str) -> Outcomes:
        if to.host != peer.host:
            raise ControlError(f"wants a file sent to {to}; files only go to the address that asks for them")
        return [Fetch(to, path)]

    def _set_mood(self, _peer: Endpoint, mood: Mood, subject: str | None) -> Outcomes:
        self._stage.set_mood(mood, subject)
        return []

    def _gain(self, _peer: Endpoint, gain_db: float, subject: str | None) -> Outcomes:
        self._stage.set_gain(gain_db, subject)
        return []

    def _calibrate(self, _peer: Endpoint, subject: str | None) -> Outcomes:
        self._stage.calibrate(subject)
        return []

    def _mute(self, _peer: Endpoint, on: bool | None, subject: str | None) -> Outcomes:
        self._stage.mute(on is None or on, subject)
        return []

    def _neutral(self, _peer: Endpoint, on: bool | None, subject: str | None) -> Outcomes:
        self._stage.neutral(on is None or on, subject)
        return []
