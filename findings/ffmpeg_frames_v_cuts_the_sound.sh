#!/usr/bin/env bash
# ffmpeg: -frames:v also cuts the audio of the same output, too early.
#
# Expected: "-frames:v 72" limits video frames: 3 s at 24 fps. The audio, padded and limited by -t 3, is 3 s as well.
# Observed: the file has 72 video frames and about 1 s of audio, exit code 0. With -t alone and the same input, both are 3 s.
# Versions: ffmpeg 5.1.9 (Debian 12).
# Impact here: a video export limited by its frame count would lose the end of the speech.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
ffmpeg -v error -f lavfi -i "sine=frequency=440:sample_rate=48000:duration=3.017" a.wav
pictures=(-f lavfi -i "testsrc=s=320x180:r=24" -i a.wav -map 0:v -map 1:a)
ffmpeg -v error "${pictures[@]}" -frames:v 72 -af apad -t 3 -c:v libx264 -c:a aac counted.mp4
ffmpeg -v error "${pictures[@]}" -af apad -t 3 -c:v libx264 -c:a aac timed.mp4
lasts() { ffprobe -v error -select_streams "$2" -show_entries stream=duration -of csv=p=0 "$1"; }
for file in counted timed; do echo "$file: video $(lasts $file.mp4 v) s, sound $(lasts $file.mp4 a) s"; done
python3 -c 'import sys; c, t = map(float, sys.argv[1:]); sys.exit(not (c < 2.5 and abs(t - 3) < 0.05))' "$(lasts counted.mp4 a)" "$(lasts timed.mp4 a)"
