// Which morph target of a .glb is which of the 52 ARKit shapes, and how a pose moves them and the head.

import { THREE } from "nicegui-scene";

// `blendShape1.eyeBlink_L` -> `eyeblinkleft`: letter case, what stands before a dot or colon, and how sides are written do not matter.
export function plain(name) {
  const last = name.split(/[.:]/).pop().toLowerCase();
  return last.replace(/_l$/, "left").replace(/_r$/, "right").replace(/[_ ]/g, "");
}

export class Morphs {
  // `names`: the 61 channels in wire order.
  constructor(scene, names) {
    const known = new Map(names.slice(0, 52).map((name, at) => [plain(name), at]));
    this.targets = []; // [influences, place in them, channel]
    this.meshes = [];
    this.found = new Set();
    this.turnAt = ["HeadYaw", "HeadPitch", "HeadRoll"].map((name) => names.indexOf(name));
    this.head = null;
    scene.traverse((part) => this.take(part, known));
    if (this.head) this.rest(scene);
  }

  take(part, known) {
    if (!this.head && part.name.split(":").pop().toLowerCase() === "head") this.head = part;
    if (!part.morphTargetDictionary) return;
    let any = false;
    for (const [name, place] of Object.entries(part.morphTargetDictionary)) {
      const channel = known.get(plain(name));
      if (channel === undefined) continue;
      any = true;
      this.found.add(channel);
      this.targets.push([part.morphTargetInfluences, place, channel]);
    }
    if (any) this.meshes.push(part);
  }

  rest(scene) {
    scene.updateMatrixWorld(true);
    this.own = this.head.quaternion.clone();
    this.above = this.head.parent.getWorldQuaternion(new THREE.Quaternion());
    this.back = this.above.clone().invert();
    this.turn = new THREE.Quaternion();
    this.angles = new THREE.Euler(0, 0, 0, "YXZ");
  }

  apply(pose) {
    for (const [influences, place, channel] of this.targets) influences[place] = pose[channel];
    if (!this.head) return;
    const [yaw, pitch, roll] = this.turnAt.map((at) => pose[at]);
    this.turn.setFromEuler(this.angles.set(pitch, -yaw, -roll, "YXZ")); // signs: livelink_bridge/export/head_turn.py
    this.head.quaternion.copy(this.back).multiply(this.turn).multiply(this.above).multiply(this.own);
  }

  // Where a shape moves points most: the middle of them, in the world. Null where no mesh has it.
  middleOf(shape) {
    const middle = new THREE.Vector3();
    let weight = 0;
    for (const mesh of this.meshes) {
      const name = Object.keys(mesh.morphTargetDictionary).find((key) => plain(key) === plain(shape));
      const moves = name && mesh.geometry.morphAttributes.position?.[mesh.morphTargetDictionary[name]];
      if (!moves) continue;
      const point = new THREE.Vector3(), move = new THREE.Vector3();
      for (let i = 0; i < moves.count; i++) {
        const length = move.fromBufferAttribute(moves, i).length();
        if (length < 1e-9) continue;
        middle.addScaledVector(mesh.localToWorld(point.fromBufferAttribute(mesh.geometry.attributes.position, i)), length);
        weight += length;
      }
    }
    return weight ? middle.divideScalar(weight) : null;
  }
}
