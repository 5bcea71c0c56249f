"""What can go wrong, as one tree.

    BridgeError            exit 1: runtime error
      UsageError           exit 2: usage error
        ConfigError        a setting: unknown key, wrong type, out of range
      DeviceError          a microphone or output device that is absent or cannot do what was asked
      SourceError          audio that cannot be read
      SinkError            a receiver or folder that cannot be written to
      WireError            a datagram that does not follow the protocol

Every message is one line for the user: what happened, what was got, what was expected, what to do. The command line
prints it and exits with `exit_code`; it shows the traceback only with --debug.
"""

from __future__ import annotations


class BridgeError(Exception):
    """Anything the user can do something about. `str(error)` is one line."""

    exit_code = 1


class UsageError(BridgeError):
    """Wrong on any machine and network: a malformed URI, an unknown scheme, a port outside 1-65535."""

    exit_code = 2


class ConfigError(UsageError):
    """A setting that does not exist or holds a value it cannot hold."""


class DeviceError(BridgeError):
    """An audio device that is absent, busy, or not of the kind that was asked for."""


class SourceError(BridgeError):
    """Audio that is missing, unreadable or empty."""


class SinkError(BridgeError):
    """A receiver that cannot be reached, or a file or folder that cannot be written."""


class WireError(BridgeError):
    """Bytes that are not the message they should be.

    `offset` is the byte at which the message stopped making sense, `reason` says why, in words, without the offset.
    """

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"{reason} (at byte {offset})")
        self.reason = reason
        self.offset = offset
