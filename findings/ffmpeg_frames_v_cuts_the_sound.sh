#!/usr/bin/env bash
# ffmpeg: -frames:v ends the sound of the same output as well, before its time.
#
# One expects: "-frames:v 72" counts pictures; at 24 a second that is 3 s of video, and the sound, padded and told -t 3, is 3 s too.
# What happens: the file has 72 pictures and about 1 s of sound, exit code 0. With -t alone, and as many pictures given, both are 3 s.
# Versions: ffmpeg 5.1.9 (Debian 12).
# Why it matters here: a video export that bounds its pictures by count would be cut off in the middle of a word.
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
