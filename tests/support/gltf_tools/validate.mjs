// What the Khronos validator says of a .glb or .gltf.
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import validator from "gltf-validator";

/** {"issues": {...}, "info": {...}}. */
export async function validate(file) {
  return await validator.validateBytes(new Uint8Array(await readFile(file)), {
    uri: basename(file),
    maxIssues: 0, // no cap: it would limit the counts too, see the package's ISSUES
    externalResourceFunction: async (uri) => new Uint8Array(await readFile(join(dirname(file), decodeURIComponent(uri)))),
  });
}
