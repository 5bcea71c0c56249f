// node play.mjs FILE.glb SECONDS...: what three.js shows of a file's last animation at these times, as JSON:
// [{"mesh": name, "names": {target: place}, "weights": [[...] for each time]}, ...]
import { readFile } from "node:fs/promises";
import { AnimationMixer } from "three";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
import { MeshoptDecoder } from "three/examples/jsm/libs/meshopt_decoder.module.js";

const [file, ...moments] = process.argv.slice(2);
globalThis.self = globalThis; // the loader looks for a browser's window
const { buffer } = new Uint8Array(await readFile(file));
const { scene, animations } = await new GLTFLoader().setMeshoptDecoder(MeshoptDecoder).parseAsync(buffer, "");
const mixer = new AnimationMixer(scene);
mixer.clipAction(animations.at(-1)).play();
const shown = [];
scene.traverse((part) => {
  if (part.morphTargetInfluences) shown.push({ part, mesh: part.name, names: part.morphTargetDictionary, weights: [] });
});
for (const moment of moments) {
  mixer.setTime(Number(moment));
  for (const each of shown) each.weights.push([...each.part.morphTargetInfluences]);
}
console.log(JSON.stringify(shown.map(({ part, ...rest }) => rest)));
