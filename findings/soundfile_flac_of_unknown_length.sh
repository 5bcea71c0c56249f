#!/usr/bin/env bash
# soundfile: a FLAC with an unknown length in its header loses its end when it is read in blocks.
#
# Expected: a FLAC written to a pipe, whose STREAMINFO has 0 samples ("unknown" in the format), is read to its end, in blocks as well as
#   at once.
# Observed: read in blocks, it fails with "Internal psf_fseek() failed" some thousand samples before the end. A SoundFile whose
#   seekable() returns False reads all of them.
# Versions: soundfile 0.14.0 (libsndfile 1.2.2 in its wheel), numpy 2.4.6, Python 3.11; ffmpeg 5.1.9 makes the file.
# Impact here: speech services and ffmpeg pipes write such files; the last word of a sentence would be missing from its take.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet soundfile==0.14.0 numpy==2.4.6 2>/dev/null
ffmpeg -v error -f lavfi -i "sine=frequency=440:sample_rate=16000:duration=9.2251875" -f flac - | cat >"$folder/a.flac"

"$folder/venv/bin/python" - "$folder/a.flac" <<'PYTHON'
import sys
import soundfile


class NotSought(soundfile.SoundFile):
    def seekable(self):
        return False


def in_blocks(kind):
    count, why = 0, "the end"
    with kind(sys.argv[1]) as file:
        try:
            while got := len(file.read(1000, dtype="float32")):
                count += got
        except soundfile.LibsndfileError as error:
            why = str(error)
    return count, why


sought, why = in_blocks(soundfile.SoundFile)
left_alone, end = in_blocks(NotSought)
print(f"in blocks: {sought} samples, then {why}")
print(f"where it is not sought: {left_alone} samples, then {end}")
sys.exit(0 if sought < left_alone == 147603 and "fseek" in why else 1)
PYTHON
