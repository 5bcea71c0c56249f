#!/usr/bin/env bash
# SoX: w64 and caf written to a pipe hold their header more than once.
#
# One expects: "sox a.wav -t w64 -" writes one header, with a length that is unknown or a placeholder, and then the samples.
# What happens: where the output cannot be sought the header is written again, amid or behind the samples, so that
#   the stream holds three headers, two of which a reader takes for sound.
# Versions: SoX 14.4.2 (Debian 12), with libsndfile's formats (libsox-fmt-base).
# Why it matters here: the click at a stream's end or beginning opens the mouth; a caf of this kind cannot be opened at all.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
sox -n -r 16000 -b 16 a.wav synth 1 sine 440
for kind in w64 caf; do
    sox a.wav "file.$kind"
    sox a.wav -t "$kind" - | cat >"pipe.$kind"
done
python3 - <<'PYTHON'
import sys
MARKS = {"w64": b"fmt \xf3\xac\xd3\x11", "caf": b"caff\x00\x01"}
seen = {}
for kind, mark in MARKS.items():
    counts = [open(f"{name}.{kind}", "rb").read().count(mark) for name in ("file", "pipe")]
    seen[kind] = counts
    print(f"{kind}: the header stands {counts[0]} x in the file, {counts[1]} x in the stream")
sys.exit(0 if all(file == 1 < pipe for file, pipe in seen.values()) else 1)
PYTHON
