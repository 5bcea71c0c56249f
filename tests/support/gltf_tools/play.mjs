// What three.js shows of a file's last animation.
import { readFile } from "node:fs/promises";
import { AnimationMixer } from "three";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
import { MeshoptDecoder } from "three/examples/jsm/libs/meshopt_decoder.module.js";

globalThis.self = globalThis; // the loader looks for a browser's window

/** At these times, in seconds: [{"mesh": name, "names": {target: place}, "weights": [[...] for each time]}, ...]. */
export async function play(file, ...moments) {
  const { buffer } = new Uint8Array(await readFile(file));
  const { scene, animations } = await new GLTFLoader().setMeshoptDecoder(MeshoptDecoder).parseAsync(buffer, "");
  const mixer = new AnimationMixer(scene);
  mixer.clipAction(animations.at(-1)).play();
  const shown = [];
  scene.traverse((part) => {
    if (part.morphTargetInfluences)
      shown.push({ part, mesh: part.name, names: part.morphTargetDictionary, weights: [] });
  });
  for (const moment of moments) {
    mixer.setTime(Number(moment));
    for (const each of shown) each.weights.push([...each.part.morphTargetInfluences]);
  }
  return shown.map(({ part, ...rest }) => rest);
}
