#!/usr/bin/env bash
# pygltflib: loading a valid glTF and saving it again makes its sparse accessors invalid.
#
# Expected: GLTF2.load(file).save(other) without changes keeps a valid file valid.
# Observed: an accessor without a buffer view, as in sparse morph targets, is saved with "byteOffset": 0, which glTF allows only with a
#   buffer view. The Khronos validator reports one error (UNSATISFIED_DEPENDENCY) per such accessor.
# Versions: pygltflib 1.16.5, gltf-validator 2.0.0-dev.3.10, Python 3.11, Node 20.
# Impact here: Blender writes morph targets sparse, so a face with 52 shapes saved by pygltflib had hundreds of errors.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pygltflib==1.16.5 2>/dev/null
npm install --silent --no-audit --no-fund gltf-validator@2.0.0-dev.3.10 >/dev/null 2>&1

venv/bin/python - <<'PYTHON'
import base64, json, struct
from pygltflib import GLTF2

points = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0)
sparse = struct.pack("<H2x3f", 2, 0, -0.1, 0)  # one vertex of three moves
data = points + sparse
face = {
    "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
    "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "targets": [{"POSITION": 1}]}], "weights": [0],
                "extras": {"targetNames": ["jawOpen"]}}],
    "accessors": [
        {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 0]},
        {"componentType": 5126, "count": 3, "type": "VEC3", "min": [0, -0.10000000149011612, 0], "max": [0, 0, 0],
         "sparse": {"count": 1, "indices": {"bufferView": 1, "componentType": 5123}, "values": {"bufferView": 2}}},
    ],
    "bufferViews": [{"buffer": 0, "byteLength": 36}, {"buffer": 0, "byteOffset": 36, "byteLength": 2},
                    {"buffer": 0, "byteOffset": 40, "byteLength": 12}],
    "buffers": [{"byteLength": len(data), "uri": "data:application/octet-stream;base64," + base64.b64encode(data).decode()}],
}
with open("before.gltf", "w") as file:
    json.dump(face, file)
GLTF2().load("before.gltf").save("after.gltf")
PYTHON

node - <<'NODE'
const { readFileSync } = require("fs");
const { validateBytes } = require("gltf-validator");
(async () => {
  const found = {};
  for (const name of ["before", "after"]) {
    const { issues } = await validateBytes(new Uint8Array(readFileSync(`${name}.gltf`)));
    found[name] = issues.messages.filter((one) => one.severity === 0).map((one) => `${one.code} at ${one.pointer}`);
    console.log(`${name}: ${issues.numErrors} errors`, ...found[name]);
  }
  process.exit(found.before.length === 0 && found.after.some((one) => one.includes("accessors/1")) ? 0 : 1);
})();
NODE
