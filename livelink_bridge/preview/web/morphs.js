// Moves a loaded face: its morph targets and its head. Which target follows which channel is found by the server (face_map.py).

import { THREE } from "nicegui-scene";

export class Morphs {
  // `gltf` as the loader gives it; `map`: {moves: [[mesh, target, channel, weight]], head, back}; `names`: the 61 channels in wire order.
  constructor(gltf, map, names) {
    this.names = names;
    this.back = map.back;
    this.parts = []; // [mesh, [[target, channel, weight]]], each of which the pose moves
    this.found = new Set();
    this.turnAt = ["HeadYaw", "HeadPitch", "HeadRoll"].map((name) => names.indexOf(name));
    this.head = null;
    gltf.scene.traverse((part) => this.take(part, gltf.parser.associations.get(part), map));
  }

  take(part, from, map) {
    if (from?.nodes !== undefined && from.nodes === map.head) this.head ??= part;
    if (!part.morphTargetInfluences) return;
    const moves = map.moves.filter(([mesh, target]) => mesh === from?.meshes && target < part.morphTargetInfluences.length);
    if (!moves.length) return;
    this.parts.push([part, moves.map(([, ...move]) => move)]);
    for (const [, , channel] of moves) this.found.add(channel);
  }

  get meshes() {
    return this.parts.map(([mesh]) => mesh);
  }

  // Called once the face stands where it will be seen: the head's turns are the world's.
  rest() {
    if (!this.head) return;
    this.own = this.head.quaternion.clone();
    this.above = this.head.parent.getWorldQuaternion(new THREE.Quaternion());
    this.away = this.above.clone().invert();
    this.turn = new THREE.Quaternion();
    this.angles = new THREE.Euler(0, 0, 0, "YXZ");
  }

  apply(pose) {
    for (const [mesh, moves] of this.parts) {
      const influences = mesh.morphTargetInfluences;
      for (const [target] of moves) influences[target] = 0;
      for (const [target, channel, weight] of moves) influences[target] = Math.min(1, influences[target] + weight * pose[channel]);
    }
    if (!this.head) return;
    const [yaw, pitch, roll] = this.turnAt.map((at) => pose[at]);
    this.turn.setFromEuler(this.angles.set(pitch, -yaw, -roll, "YXZ")); // signs: livelink_bridge/takes/export/head_turn.py
    this.head.quaternion.copy(this.away).multiply(this.turn).multiply(this.above).multiply(this.own);
  }

  // What these channels move most, in the world: the mean of the points, weighted by how far they go. Null where they move nothing.
  middleOf(...names) {
    const middle = new THREE.Vector3(), point = new THREE.Vector3(), channels = names.map((name) => this.names.indexOf(name));
    let weight = 0;
    for (const [mesh, moves] of this.parts) {
      const lengths = farthestMoves(mesh, moves.filter(([, channel]) => channels.includes(channel)));
      lengths.forEach((length, i) => length && middle.addScaledVector(worldPoint(mesh, i, point), length));
      weight += lengths.reduce((sum, length) => sum + length, 0);
    }
    return weight ? middle.divideScalar(weight) : null;
  }

  // The box, in the world, of every point that some channel moves by more than a tenth of the farthest in its mesh.
  movedBox() {
    const box = new THREE.Box3(), point = new THREE.Vector3();
    for (const [mesh, moves] of this.parts) {
      const lengths = farthestMoves(mesh, moves), least = 0.1 * lengths.reduce((most, length) => Math.max(most, length), 0);
      lengths.forEach((length, i) => length > least && box.expandByPoint(worldPoint(mesh, i, point)));
    }
    return box;
  }
}

// How far each point of a mesh is moved at most, in the mesh's own unit: Float32Array, one number a point.
function farthestMoves(mesh, moves) {
  const lengths = new Float32Array(mesh.geometry.attributes.position.count), move = new THREE.Vector3();
  for (const [target] of moves) {
    const offsets = mesh.geometry.morphAttributes.position?.[target];
    for (let i = 0; i < (offsets?.count ?? 0); i++) lengths[i] = Math.max(lengths[i], move.fromBufferAttribute(offsets, i).length());
  }
  return lengths;
}

// A point of a mesh where it is seen: after skinning, in the world.
export function worldPoint(mesh, i, point) {
  return mesh.localToWorld(mesh.getVertexPosition(i, point));
}
