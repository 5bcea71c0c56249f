"""Remote control without sockets: takes decoded messages, acts on the session, returns replies and file requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from arkit_mapping.liveliness.moods import Mood
from livelink_bridge.core.clock import Clock
from livelink_bridge.errors import BridgeError
from livelink_bridge.network.peers import Endpoint, Peers
from livelink_bridge.remote_control.interface import RemoteInterface
from livelink_bridge.remote_control.messages import COMMANDS, UNREAL_PORT, ControlError, Fetch, Reply, short_repr
from livelink_bridge.remote_control.rate_limited_log import RateLimitedLog

SWITCHBOARD_PORT = 6000
"""Switchboard's default port for replies."""
NOMINAL = 0
"""The app's thermal state of a phone that is not too hot."""
_MAX_PEERS = 16
_MAX_SEND_TARGETS = 4
"""Per peer."""
_MAX_ADDRESSES = 16
_LOG_INTERVAL_S = 5.0
"""Shortest time between two log lines of one failed action. Finite, so that a take that failed twice in an evening is
in the log twice."""

Outcomes = list[Reply | Fetch]
Action = Callable[..., Outcomes]


class _StartedTake(NamedTuple):
    """The last take started by remote control, as requested; the session may change slate and number."""

    slate: str | None
    take: int | None
    timecode: str


class RemoteProtocol:
    """State of remote control: send targets, addresses and the running take. Not locked: one thread at a time."""

    def __init__(self, remote: RemoteInterface, peers: Peers, *, clock: Clock, takes: Path | None = None) -> None:
        """
        Parameters
        ----------
        remote : the session to control
        peers : the addresses that may send messages
        clock : limits the rate of log lines
        takes : folder of recorded takes; paths in replies are relative to it
        """
        self.received = 0
        """Messages received, valid or not."""
        self.problems = RateLimitedLog(clock)
        self._remote, self._peers, self._takes = remote, peers, takes
        self._send_targets: dict[str, list[Endpoint]] = {}
        self._addresses: list[str] = []
        self._streaming = self._tracking = True
        self._started: _StartedTake | None = None
        """None if remote control has started no take, or has ended it."""
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
            "battery": lambda peer: self._reply(peer, "/Battery", float(self._remote.battery())),
            "thermals": lambda peer: self._reply(peer, "/Thermals", NOMINAL),
            "set_slate": self._set_slate,
            "slate": lambda peer: self._reply(peer, "/Slate", self._remote.slate),
            "set_take": self._set_take,
            "take": lambda peer: self._reply(peer, "/Take", self._remote.take),
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

    def handle(self, peer: Endpoint, address: str, arguments: Sequence[object]) -> Outcomes:
        """Carry out a message.

        Parameters
        ----------
        peer : the sender
        address : OSC address, such as `/RecordStart`
        arguments : decoded OSC arguments

        Returns
        -------
        replies and files to send. An invalid message is logged, never raised.
        """
        self.received += 1
        command = COMMANDS.get(address)
        if command is None:
            self.problems.add(
                f"unknown {address[:100]}", f"{peer} sent {short_repr(address)}, which is not a known address"
            )
            return []
        try:
            return self._actions[command.action](peer, *command.read(arguments))
        except BridgeError as error:
            self.problems.add(address, f"{address} from {peer}: {error}", interval_s=_LOG_INTERVAL_S)
            return []

    def local_take_started(self, slate: str, take: int) -> Outcomes:
        """Messages for a take started on this machine: Switchboard then starts all other devices."""
        return self._broadcast("/RecordStart", slate, take, "")

    def local_take_stopped(self) -> Outcomes:
        """Messages for a take ended on this machine."""
        return self._broadcast("/RecordStop")

    def leave(self) -> Outcomes:
        """Messages for the end of the session."""
        return self._broadcast("/AppDeactivated")

    def _reply(self, peer: Endpoint, address: str, *arguments: str | int | float) -> Outcomes:
        """To the peer's send targets. Without any, to the port it sent from and to Switchboard's."""
        usual = list(dict.fromkeys((peer, Endpoint(peer.host, SWITCHBOARD_PORT))))
        return [Reply(to, address, arguments) for to in self._send_targets.get(peer.host, usual)]

    def _broadcast(self, address: str, *arguments: str | int | float) -> Outcomes:
        targets = dict.fromkeys(to for targets in self._send_targets.values() for to in targets)
        return [Reply(to, address, arguments) for to in targets]

    def _set_send_target(self, peer: Endpoint, host: str, port: int) -> Outcomes:
        self._remember(peer, [self._send_target(host, port)])
        return [*self._reply(peer, "/OSCSetSendTargetConfirm"), *self._reply(peer, "/AppActivated")]

    def _add_send_target(self, peer: Endpoint, host: str, port: int) -> Outcomes:
        """Confirmed without arguments: Switchboard's handlers fail on any."""
        target = self._send_target(host, port)
        known = [one for one in self._send_targets.get(peer.host, []) if one != target]
        self._remember(peer, [*known, target][-_MAX_SEND_TARGETS:])
        return [Reply(target, "/OSCAddSendTargetConfirm")]

    def _send_target(self, host: str, port: int) -> Endpoint:
        if not self._peers.allows(host):
            raise ControlError(
                f"{host} is not an allowed peer, so nothing is sent to it; allow it with --control-allow"
            )
        return Endpoint(host, port)

    def _remember(self, peer: Endpoint, targets: list[Endpoint]) -> None:
        """Newest last; beyond the limit, the peer whose targets were set longest ago is dropped."""
        self._send_targets.pop(peer.host, None)
        self._send_targets[peer.host] = targets
        if len(self._send_targets) > _MAX_PEERS:
            del self._send_targets[next(iter(self._send_targets))]

    def _add_address(self, _peer: Endpoint, host: str, port: int | None) -> Outcomes:
        uri = f"livelink://{host}:{port or UNREAL_PORT}"
        if uri in self._addresses:
            return []
        if len(self._addresses) >= _MAX_ADDRESSES:
            raise ControlError(f"{uri} would exceed the limit of {_MAX_ADDRESSES} addresses; clear them first")
        self._remote.add_target(uri)
        self._addresses.append(uri)
        return []

    def _clear_addresses(self, _peer: Endpoint) -> Outcomes:
        self._addresses.clear()
        self._remote.clear_targets()
        return []

    def _rename(self, _peer: Endpoint, subject: str) -> Outcomes:
        self._remote.rename(subject)
        return []

    def _stream(self, *, streaming: bool | None = None, tracking: bool | None = None) -> Outcomes:
        """The app sends frames while streaming is on and its camera tracks a face (ARSession)."""
        self._streaming = self._streaming if streaming is None else streaming
        self._tracking = self._tracking if tracking is None else tracking
        self._remote.stream(self._streaming and self._tracking)
        return []

    def _set_slate(self, peer: Endpoint, slate: str) -> Outcomes:
        self._refuse_while_recording("the slate")
        self._remote.slate = slate
        return self._reply(peer, "/SlateConfirm", slate)

    def _set_take(self, peer: Endpoint, take: int) -> Outcomes:
        self._refuse_while_recording("the take's number")
        self._remote.take = take
        return self._reply(peer, "/TakeConfirm", take)

    def _refuse_while_recording(self, what: str) -> None:
        if self._remote.recording:
            raise ControlError(f"{what} cannot change while a take is being recorded; stop it first")

    def _record_start(self, peer: Endpoint, slate: str | None, take: int | None) -> Outcomes:
        """A repeated request is confirmed again: the first confirmation may have been lost."""
        started = self._started
        if not self._remote.recording:
            timecode = self._remote.record_start(
                slate or self._remote.slate, self._remote.take if take is None else take
            )
            started = self._started = _StartedTake(slate, take, timecode)
        elif started is None or (slate, take) != started[:2]:
            raise ControlError(
                f"got take {take} of {slate!r} while another is being recorded, expected its end; stop it first"
            )
        return self._reply(peer, "/RecordStartConfirm", started.timecode)

    def _record_stop(self, peer: Endpoint) -> Outcomes:
        """Also for a take that ended by itself, on a full disk: its rows are written."""
        self._started = None
        take = self._remote.record_stop()
        return self._reply(
            peer, "/RecordStopConfirm", take.timecode, self._transport_path(take.csv), self._transport_path(take.sound)
        )

    def _record_cancel(self, peer: Endpoint) -> Outcomes:
        self._expect_recording()
        self._started = None
        return self._reply(peer, "/RecordCancelConfirm", self._remote.record_cancel())

    def _mark(self, peer: Endpoint, text: str | None) -> Outcomes:
        self._expect_recording()
        return self._reply(peer, "/RecordAddMarkConfirm", self._remote.mark(text or ""))

    def _expect_recording(self) -> None:
        if not self._remote.recording:
            raise ControlError("nothing is being recorded")

    def _transport_path(self, path: Path | None) -> str:
        """A path as `/Transport` takes it: relative to the folder of takes, with forward slashes. Empty for None."""
        if path is None:
            return ""
        if self._takes and path.is_relative_to(self._takes):
            return path.relative_to(self._takes).as_posix()
        return str(path)

    def _transport(self, peer: Endpoint, to: Endpoint, path: str) -> Outcomes:
        if to.host != peer.host:
            raise ControlError(f"requests a file for {to}; files are only sent to the address that requests them")
        return [Fetch(to, path)]

    def _set_mood(self, _peer: Endpoint, mood: Mood, subject: str | None) -> Outcomes:
        self._remote.set_mood(mood, subject)
        return []

    def _gain(self, _peer: Endpoint, gain_db: float, subject: str | None) -> Outcomes:
        self._remote.set_gain(gain_db, subject)
        return []

    def _calibrate(self, _peer: Endpoint, subject: str | None) -> Outcomes:
        self._remote.calibrate(subject)
        return []

    def _mute(self, _peer: Endpoint, on: bool | None, subject: str | None) -> Outcomes:
        self._remote.set_muted(on is None or on, subject)
        return []

    def _neutral(self, _peer: Endpoint, on: bool | None, subject: str | None) -> Outcomes:
        self._remote.hold_neutral(on is None or on, subject)
        return []
