"""The settings, one row each.

A row gives the typed field of `Settings`, the YAML key, the name in the environment, the flag with its help, the
commands that take it, and its line in docs/settings.md: the row's docstring, which `scripts/make_settings_docs.py`
reads. `{limits}` in texts stands for the row's range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import get_type_hints
from urllib.parse import quote

from livelink_bridge.core.limits import AUDIO_DELAY, FACE_DELAY, GAIN, PACKET_RATE, SEED
from livelink_bridge.settings import checks
from livelink_bridge.settings.performer_checks import check_performers
from livelink_bridge.settings.setting import PREFIX, Setting, row, table_of
from livelink_bridge.timing.timecode import ORIGINS, RATES, Origin

DEVICES = ("auto", "cpu", "cuda", "mps")
LOOKAHEADS_MS = (33, 67)
GATES = ("auto", "voice", "level", "off")

_SESSIONS = frozenset({"mic", "play", "listen", "preview", "replay", "demo", "config"})
"""Commands that send frames and report on it."""
_SENDS = _SESSIONS | {"sync-test"}
_FACES = frozenset({"mic", "play", "listen", "preview", "convert", "demo", "config"})
"""Commands in which a model moves a face."""
_READS = frozenset({"play", "preview", "convert", "evaluate", "adapt", "config"})
"""Commands that read audio files."""
_HEARS = frozenset({"mic", "play", "listen", "config"})
"""Commands with an input chain."""
_MIC = frozenset({"mic", "config"})
_NOWHERE: frozenset[str] = frozenset()


def _performers(value: object) -> tuple[Mapping[str, object], ...]:
    return check_performers(value, TABLE)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user can choose, checked."""

    # fmt: off
    to: tuple[str, ...] = row(
        ("livelink://127.0.0.1:11111",), checks.targets, "URI", "Targets", _SENDS | {"doctor"}, own=True,
        help="Where frames are sent; repeatable. livelink://, osc://, vmc:// or ifacialmocap://HOST:PORT, take:DIR, or "
        "preview: for a page in the browser.")
    """Where frames are sent: `livelink://HOST:PORT` (Unreal; for its options and `ifacialmocap://` see
    [wires-livelink-ifacialmocap.md](wires-livelink-ifacialmocap.md)), `osc://HOST:PORT` and `vmc://HOST:PORT`
    ([wires-osc-vmc.md](wires-osc-vmc.md)), `take:FOLDER`, `preview:` (the page of [preview.md](preview.md) beside
    `--mic` and `play`). A list in YAML; separated by spaces in the environment. Given once, it replaces the default"""

    subject: str = row(
        "LiveLinkBridge", checks.subject, "NAME", "Targets", _SENDS | {"doctor"}, own=True,
        help="Name in Unreal's Live Link window.")
    """The face's name in Unreal's Live Link window. Each name gets its own device id, which is remembered between
    runs"""

    fps: Fraction = row(
        Fraction(60), checks.fps, "N", "Targets", _SENDS, limits=PACKET_RATE, own=True,
        help="Packets per second, {limits}, such as 24, 29.97 or 60.")
    """Packets per second, {limits}; `23.976`, `29.97` and `59.94` are the rates of that name. At a rate that does not
    divide 60, frames are interpolated evenly and are up to 17 ms later (24: 8 ms; 25 and 50: 13 ms). The delay that is
    shown includes this"""

    face_delay: float = row(
        0.0, checks.within(FACE_DELAY), "MS", "Targets", _SENDS, limits=FACE_DELAY, own=True,
        help="Delay the face by {limits}, for audio that reaches its audience late.")
    """Delay of every frame, {limits}, for audio that reaches its audience later than the face would"""

    gate: str = row(
        "auto", checks.one_of(*GATES), "auto|voice|level|off", "Audio", _HEARS, own=True,
        help="When a live voice moves the face: while the VAD hears a voice, above a level, or always (off). auto is "
        "voice where the VAD is installed.")
    """When a microphone or a stream moves the face: `voice` while voice activity detection (VAD) hears a voice, `level`
    above a level, `off` always; `auto` is `voice` where the VAD is installed, else `level`. Each frame waits for
    exactly the audio that its network waits for anyway, so words keep their beginnings. The gate opens within 30 ms and
    closes over 150 ms, a quarter of a second after the last voice. `--mic --calibrate` measures two seconds of room and
    two of voice and remembers, for each microphone, the level at which the gate opens. Files are never gated"""

    gain: float = row(
        0.0, checks.within(GAIN), "DB", "Audio", _HEARS, limits=GAIN, own=True,
        help="Gain of the microphone, {limits}.")
    """Gain of a microphone, {limits}, applied first"""

    level_control: bool = row(
        True, checks.switch, "", "Audio", _HEARS, own=True,
        help="Automatic gain control: bring speech slowly to one level.")
    """Automatic gain control (AGC): brings speech slowly to -20 dBFS, by at most 24 dB either way, so that a whisper
    and a shout both move the mouth. It adapts only during certain speech, so it never amplifies room noise"""

    channels: tuple[int, ...] = row(
        (), checks.channels, "N[,N]", "Audio", _MIC, flag="--channel", unset="the first two", own=True,
        help="Audio channels of the microphone to mix, counted from 1.")
    """Audio channels of a many-channel microphone that are mixed, counted from 1. One channel is used alone, see
    below"""

    audio_out: str | None = row(
        None, checks.text, "DEVICE", "Audio", _MIC | {"sync-test"}, own=True,
        help="Play the voice there, delayed to match the face: an index, part of a name, or default.")
    """Monitor output: play the voice there, delayed as much as the face is. An output's index, part of its name, or
    `default`"""

    audio_delay: float = row(
        0.0, checks.within(AUDIO_DELAY), "MS", "Audio", _MIC | {"sync-test"}, limits=AUDIO_DELAY, own=True,
        help="Delay that voice by {limits} more, for a face that is drawn late.")
    """Further delay of that voice, {limits}, for a face that takes time to be drawn"""

    exclusive: bool = row(
        False, checks.switch, "", "Audio", _MIC, flag="--exclusive/--shared", own=True,
        help="Windows (WASAPI): open the microphone in exclusive mode.")
    """Windows (WASAPI): open the microphone in exclusive mode"""

    character: Path | None = row(
        None, checks.path, "FILE.yaml", "Face", _FACES, own=True,
        help="Gain, curve, limits and smoothing of this face; read again when saved. See `character`.")
    """The character file of this face, read again when it is saved; see [characters](#characters)"""

    mood: str = row(
        "neutral", checks.mood, "NAME[:X],...", "Face", _FACES, own=True,
        help="neutral, happy, sad, angry, surprised, afraid or disgusted; X from 0 to 1 is how much, 0.5 if left out.")
    """`happy`, `sad`, `angry`, `surprised`, `afraid`, `disgusted`, each with how much of it, 0 to 1 (0.5 if left out).
    Moods never open closed lips"""

    liveliness: bool = row(
        True, checks.switch, "", "Face", _FACES, own=True,
        help="Blinks, gaze, brows and breath besides the mouth.")
    """Blinks, gaze, brows on stressed syllables and breath, besides the mouth; they continue in silence"""

    head_motion: bool = row(
        False, checks.switch, "", "Face", _FACES, own=True,
        help="Small nods and turns of the head with the voice.")
    """Small nods and turns of the head with the voice, radians. A character file can flip an axis"""

    tongue: bool = row(
        False, checks.switch, "", "Face", _FACES,
        help="Show the tongue on th and l.")
    """Show the tongue on th and l, from the phones that the model recognizes; see [the tongue](#the-tongue)"""

    seed: int = row(
        0, checks.seed, "N", "Face", _FACES, own=True, limits=SEED,
        help="Seed of liveliness: the same seed gives the same face.")
    """Seed of liveliness, {limits}: the same seed and audio give the same face, live or converted. A batch of folders
    also seeds each file by its hash"""

    record: Path | None = row(
        None, checks.path, "DIR", "Session", _SENDS, own=True,
        help="Also record a take of the session into this folder.")
    """Also record a take of the session, with its audio, into this folder: adds `take:DIR` to `to`; see
    [takes-recording.md](takes-recording.md)"""

    slate: str | None = row(
        None, checks.text, "NAME", "Session", _SENDS, unset="the subject", own=True,
        help="Slate of recorded takes.")
    """The slate of recorded takes"""

    control: int | None = row(
        None, checks.port, "PORT", "Session", _MIC,
        help="Accept remote control over OSC at this UDP port, as the Live Link Face app does; Switchboard expects "
        "8000.")
    """Accept remote control of a microphone's session at this UDP port, as the Live Link Face app does: from
    Switchboard and stage dashboards. Takes of a single performer then wait until they are asked for. See
    [remote-control.md](remote-control.md)"""

    control_allow: tuple[str, ...] = row(
        (), checks.peers, "ADDRESS", "Session", _MIC, unset="this machine",
        help="Accept it from these addresses or networks; repeatable: 192.168.1.20, 192.168.1.0/24.")
    """IPv4 addresses or networks that remote control is accepted from"""

    performers: tuple[Mapping[str, object], ...] = row(
        (), _performers, "", "Session", _NOWHERE, flag="",
        help="Several voices, each with its own face.")
    """Several voices and faces; see [several performers](#several-performers)"""

    model: str = row(
        "pmmtalk-live", checks.text, "NAME", "Model", _FACES | {"doctor", "evaluate", "adapt"},
        help="Name or folder of the model.")
    """The name of a shipped model, the name of one in the models' folder, or a folder with `config.yaml` and
    `*.safetensors`"""

    lookahead: int | None = row(
        None, checks.one_of(*LOOKAHEADS_MS), "33|67", "Model", _FACES | {"doctor", "evaluate", "adapt"},
        unset="67", help="Milliseconds of audio that a frame waits for.")
    """Milliseconds of audio that a frame waits for. Picks the shipped model: 67 `pmmtalk-live` or 33
    `pmmtalk-live-33`, which closes lips a little less surely; an error with another model that differs"""

    device: str = row(
        "auto", checks.one_of(*DEVICES), "auto|cpu|cuda|mps", "Model",
        _FACES | {"doctor", "evaluate", "adapt", "train"},
        help="Where the model runs. auto tries CUDA, then MPS, then the CPU.")
    """`cpu`, `cuda`, `mps`, or `auto`: CUDA, then MPS, then CPU. A device that is absent is an error, not a silent
    fallback"""

    style: str | None = row(
        None, checks.text, "NAME", "Model", _FACES | {"doctor", "evaluate"}, unset="the model's own",
        help="A speaking style of the model, or a mixture: 0.3:NAME,0.7:NAME.")
    """One of the model's speaking styles, or a mixture of them: `0.3:NAME,0.7:NAME`"""

    timecode: Origin = row(
        "time-of-day", checks.one_of(*ORIGINS), "time-of-day|ntp|zero", "Advanced", _SENDS, own=True,
        help="What frame numbers and the timecode of takes count from.")
    """What the packets' frame numbers and the timecode of takes count from: `time-of-day` is the clock at the start,
    counted on evenly; `ntp` follows the system's clock as NTP disciplines it, by at most 1 ms a second; `zero` begins
    at 00:00:00:00"""

    timecode_rate: str | None = row(
        None, checks.one_of(*RATES), "RATE", "Advanced", _SENDS, unset="--fps", own=True,
        help="Rate at which they count: 24, 25, 29.97, 29.97df, 30, 50, 59.94, 59.94df or 60.")
    """Rate at which they count: `23.976`, `24`, `25`, `29.97`, `29.97df`, `30`, `50`, `59.94`, `59.94df`, `60`. `df`
    drops frame numbers as SMPTE ST 12-1 does; without it, labels lose 3.6 s an hour against the clock"""

    log_file: Path | None = row(
        None, checks.path, "PATH", "Advanced", _SESSIONS,
        help="Also log the session to this file, with a line a minute; at most three files of 5 MB.")
    """Also log a session to this file: warnings, changes of state, takes, marks and a line a minute, with local time to
    the millisecond. At most three files of 5 MB"""

    metrics_port: int | None = row(
        None, checks.port, "N", "Advanced", _SESSIONS,
        help="Serve metrics to Prometheus at http://127.0.0.1:N/metrics.")
    """Serve a session's metrics to Prometheus at `http://127.0.0.1:N/metrics`: delays by quantile and part, frames,
    losses, level, gate, voice"""

    allow_cut: bool = row(
        False, checks.switch, "", "Advanced", _READS, flag="--allow-cut/--whole",
        help="Accept an audio file that ends before its header says; with --whole it is an error.")
    """Accept an audio file that ends before its header says, instead of an error; see
    [files that end early](play.md#files-that-end-early)"""

    models_dir: Path | None = row(
        None, checks.path, "DIR", "Advanced", _FACES | {"evaluate", "adapt", "models"},
        unset="the system's folder for user data",
        help="Folder of the models that did not come with the program; see `models`.")
    """The models' folder: models that did not come with the program, and those of `livelink-bridge models download`.
    `~/.local/share/livelink-bridge/models`, on macOS `~/Library/Application Support/livelink-bridge/models`, on Windows
    `%LOCALAPPDATA%\\livelink-bridge\\models`"""

    reference_face: Path | None = row(
        None, checks.path, "IMAGE", "Advanced", _FACES | {"doctor", "evaluate"}, unset="the model's own",
        help="Picture of a face from the front, for the model's image branch.")
    """Picture of a face from the front, for the model's image branch"""
    # fmt: on

    @property
    def targets(self) -> tuple[str, ...]:
        """`to`, and the take that `record` asks for."""
        if self.record is None:
            return self.to
        return (*self.to, f"take:{self.record}" + (f"?slate={quote(self.slate, safe='')}" if self.slate else ""))


TABLE: dict[str, Setting] = table_of(Settings, get_type_hints(Settings))
"""The rows by key, in the order of the help."""

NOT_SETTINGS = frozenset({"CONFIG", "DATA", "HOME", "PICTURES", "SCORER", "TORCH_INDEX"})
"""Names after PREFIX that mean something else: the settings file, development data, where identities are remembered,
whether the pictures of the docs are taken anew, another scorer for tests to agree with, the set-up scripts' choice of
torch."""

__all__ = ["DEVICES", "GATES", "LOOKAHEADS_MS", "NOT_SETTINGS", "PREFIX", "TABLE", "Settings", "settings_of_verb"]


def settings_of_verb(verb: str) -> list[Setting]:
    """The settings whose flags a command takes, in the order of the table."""
    return [setting for setting in TABLE.values() if verb in setting.verbs]
