#!/usr/bin/env bash
# soundfile: an mp3 read in blocks differs from the same mp3 read at once.
#
# Expected: repeated read(1000) gives the same samples as one read(); the documentation offers both.
# Observed: for an mp3 the samples differ, by an eighth of full scale here, and the decoder may print errors. After each read soundfile
#   seeks to the current position, and libmpg123 loses the bit reservoir, the bits that a frame stores in earlier frames.
#   A SoundFile whose seekable() returns False does not seek, and its samples are correct.
# Versions: soundfile 0.14.0 (libsndfile 1.2.2 in its wheel), numpy 2.4.6, Python 3.11; ffmpeg 5.1.9 with libmp3lame makes the file.
#   It needs an mp3 with a variable bit rate, or the encoder's default at 16 kHz; one with 48 kbit/s is read correctly.
# Impact here: audio is read in blocks, so that an hour does not need a gigabyte of memory, and the errors would move the face.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet soundfile==0.14.0 numpy==2.4.6 2>/dev/null

ffmpeg -v error -f lavfi -i "sine=frequency=440:sample_rate=16000:duration=3" -codec:a libmp3lame -q:a 5 "$folder/a.mp3"

"$folder/venv/bin/python" - "$folder/a.mp3" 2>"$folder/said" <<'PYTHON'
import sys
import numpy as np
import soundfile

class NotSought(soundfile.SoundFile):
    def seekable(self):
        return False

def in_blocks(kind):
    with kind(sys.argv[1]) as file:
        blocks = []
        while len(block := file.read(1000, dtype="float32")):
            blocks.append(block)
    return np.concatenate(blocks)

whole, _ = soundfile.read(sys.argv[1], dtype="float32")
sought, left_alone = in_blocks(soundfile.SoundFile), in_blocks(NotSought)
print(f"{len(whole)} samples at once, {len(sought)} in blocks of 1000")
damage = float(np.abs(whole[: len(sought)] - sought).max())
rest = float(np.abs(whole[: len(left_alone)] - left_alone).max())
print(f"largest difference: {damage:.3f} of full scale; where it is not sought: {rest:.6f}")
sys.exit(0 if damage > 0.01 and rest < 1e-5 and len(left_alone) == len(whole) else 1)
PYTHON
