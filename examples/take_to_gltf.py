"""A Live Link Face take to an animated glTF: python examples/take_to_gltf.py TAKE.csv [OUT.glb [FACE.glb]]

FACE.glb is a face whose morph targets have ARKit names; the default is a built-in mask.
"""

import sys
from pathlib import Path

from arkit_mapping.takes import TakeError, read_take
from livelink_bridge.errors import BridgeError
from livelink_bridge.takes.export import export_take

if len(sys.argv) not in (2, 3, 4):
    sys.exit(__doc__)
paths = [Path(argument) for argument in sys.argv[1:]]
out = paths[1] if len(paths) > 1 else paths[0].with_suffix(".glb")
try:
    take = read_take(paths[0])
    notes = export_take(take, out, face=paths[2] if len(paths) > 2 else None, force=True)
except (BridgeError, TakeError) as error:
    sys.exit(str(error))
print(*notes, f"{out}: {len(take.values)} frames, {take.times_s[-1] - take.times_s[0]:.1f} s", sep="\n")
