#!/usr/bin/env bash
# SoX: w64 and caf written to a pipe contain their header more than once.
#
# Expected: "sox a.wav -t w64 -" writes one header, with an unknown or placeholder length, followed by the samples.
# Observed: if the output is not seekable, the header is written again between or after the samples: the stream contains three
#   headers, two of which a reader decodes as audio.
# Versions: SoX 14.4.2 (Debian 12), with libsndfile's formats (libsox-fmt-base).
# Impact here: the click at the start or end of the stream opens the mouth; such a caf cannot be opened at all.
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
