"""An audio file to arrays of frames: python examples/wav_to_npz.py AUDIO [OUT.npz]"""

import sys
from pathlib import Path

from livelink_bridge import animate
from livelink_bridge.errors import BridgeError

if len(sys.argv) not in (2, 3):
    sys.exit(__doc__)
sound = Path(sys.argv[1])
out = Path(sys.argv[2]) if len(sys.argv) == 3 else sound.with_suffix(".npz")
try:
    animation = animate(sound)
    animation.save(out)
except BridgeError as error:
    sys.exit(str(error))
print(f"{out}: values {animation.poses.shape}, times_s, rate and channels; {animation.seconds:.1f} s of audio")
