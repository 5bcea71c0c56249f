#!/usr/bin/env bash
# ALSA's pulse plug-in: a PulseAudio source whose channels are aux0, aux1 ... records as silence.
#
# Expected: an audio interface that PulseAudio lists with two channels records two channels through ALSA's "pulse" device.
# Observed: it does with the channel map front-left,front-right. With aux0,aux1, PulseAudio's names for the inputs of interfaces without a
#   profile, the recording is digital silence, without an error. ALSA's plug-in requests front-left and front-right, and PulseAudio mixes
#   no aux channel into those.
# Versions: PulseAudio 16.1, alsa-plugins 1.2.7.1 (libasound2-plugins), ffmpeg 5.1.9 as the recorder (Debian 12).
# Impact here: PortAudio opens microphones this way on Linux: the face never moves, at a level of -120 dBFS.
set -euo pipefail

folder=$(mktemp -d)
export HOME=$folder XDG_RUNTIME_DIR=$folder/run PULSE_SERVER=unix:$folder/run/pulse/native
mkdir -m 700 "$XDG_RUNTIME_DIR"
pulseaudio --daemonize=no --exit-idle-time=-1 -n -L "module-native-protocol-unix auth-anonymous=1" \
    -L "module-null-sink sink_name=named channels=2 channel_map=front-left,front-right" \
    -L "module-null-sink sink_name=aux channels=2 channel_map=aux0,aux1" 2>"$folder/said" &
server=$!
trap 'kill $server; wait $server 2>/dev/null || true; rm -rf "$folder"' EXIT
for _ in $(seq 100); do pactl info >/dev/null 2>&1 && break; read -rt 0.1 <> <(:) || true; done
printf 'pcm.!pulse { type pulse }\n' >"$folder/.asoundrc"

ffmpeg -v error -f lavfi -i "sine=frequency=440:sample_rate=48000:duration=4" -ac 2 "$folder/tone.wav"
peak() {  # of one second, in dBFS
    paplay --no-remap --no-remix --device="$1" "$folder/tone.wav" &
    PULSE_SOURCE=$1.monitor ffmpeg -v info -f alsa -channels 2 -sample_rate 48000 -t 2 -i pulse -af volumedetect -f null - 2>&1 |
        sed -n 's/.*max_volume: \(.*\) dB/\1/p'
    wait $!
}
named=$(peak named)
aux=$(peak aux)
echo "front-left,front-right: peak $named dBFS; aux0,aux1: peak $aux dBFS"
python3 -c 'import sys; named, aux = map(float, sys.argv[1:]); sys.exit(not (named > -40 and aux < -85))' "$named" "$aux"
