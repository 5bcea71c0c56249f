// Lights and camera: how a face is looked at.

import { OrbitControls, THREE } from "nicegui-scene";
import { worldPoint } from "livelink-preview/morphs.js";

const ANGLE = 22;
const HEAD = 0.2252; // metres from chin to crown: lights and camera are made for a head of this size

export class Studio {
  constructor(canvas, onChange) {
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: true, alpha: true, powerPreference: "high-performance" });
    this.renderer.setPixelRatio(Math.min(2, window.devicePixelRatio));
    this.scene = new THREE.Scene();
    this.camera = new THREE.PerspectiveCamera(ANGLE, 1, 0.01, 100);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.addEventListener("change", onChange);
    this.controls.enablePan = false;
    this.light();
    this.view = "face";
  }

  light() {
    this.scene.add(new THREE.HemisphereLight(0xffffff, 0xb49a90, 1.25));
    for (const [colour, power, x, y, z] of [[0xfff1e2, 2.1, 0.5, 0.6, 0.9], [0xdde8ff, 0.6, -0.8, 0.1, 0.6], [0xffffff, 1.3, -0.5, 0.6, -0.9]]) {
      const lamp = new THREE.DirectionalLight(colour, power);
      lamp.position.set(x, y, z);
      this.camera.add(lamp); // the light follows the camera
    }
    this.scene.add(this.camera);
  }

  // Stand a face upright before the camera, whatever its nodes' scales and turns are, as large as a head is.
  put(face, morphs) {
    if (this.stand) this.scene.remove(this.stand);
    this.stand = new THREE.Group();
    this.stand.add(face);
    this.scene.add(this.stand);
    face.traverse((part) => (part.frustumCulled = false)); // bounds of skinned points are not known to the renderer
    this.stand.updateMatrixWorld(true);
    this.stand.quaternion.copy(uprightTurn(morphs, headBox(face, morphs)));
    this.stand.updateMatrixWorld(true);
    const size = headBox(face, morphs).getSize(new THREE.Vector3());
    this.stand.scale.setScalar(HEAD / (Math.max(size.x, size.y, size.z) || 1));
    this.stand.updateMatrixWorld(true);
    morphs.rest();
    this.box = headBox(face, morphs);
    this.mouth = morphs.middleOf("MouthPucker") ?? morphs.middleOf("JawOpen");
    this.look(this.view);
  }

  // "face", "side" (three quarters) or "mouth".
  look(view) {
    this.view = view;
    const size = this.box.getSize(new THREE.Vector3()), middle = this.box.getCenter(new THREE.Vector3());
    const near = view === "mouth" && this.mouth;
    const target = near ? this.mouth.clone() : middle;
    const high = (near ? 0.46 : 1.12) * Math.max(size.y, size.x);
    const far = high / 2 / Math.tan(THREE.MathUtils.degToRad(ANGLE / 2)) / this.narrow(this.camera.aspect) + (near ? 0 : size.z / 2);
    const turn = view === "side" ? 0.62 : 0;
    this.camera.near = far / 100;
    this.camera.far = far * 20;
    this.camera.updateProjectionMatrix();
    this.camera.position.set(target.x + far * Math.sin(turn), target.y, target.z + far * Math.cos(turn));
    this.controls.target.copy(target);
    this.controls.minDistance = far / 5;
    this.controls.maxDistance = far * 4;
    this.controls.update();
  }

  // How much less of its height a picture of that shape shows than a wide one.
  narrow(aspect) {
    return Math.min(1, aspect * 1.05);
  }

  resize(width, height) {
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    if (this.box) this.look(this.view);
  }

  // What is behind the face: a colour, or null for what the page has there.
  paint(colour) {
    this.scene.background = colour && new THREE.Color(colour.trim());
  }

  draw() {
    this.renderer.render(this.scene, this.camera);
  }
}

// What is looked at: the mesh with most points that a pose moves; where that is a whole body, what is moved and as much around it.
function headBox(face, morphs) {
  if (!morphs.meshes.length) return new THREE.Box3().setFromObject(face, true);
  const whole = boxOf(largest(morphs.meshes)), moved = morphs.movedBox();
  if (moved.isEmpty() || whole.getSize(new THREE.Vector3()).length() < 4 * moved.getSize(new THREE.Vector3()).length()) return whole;
  return moved.expandByVector(moved.getSize(new THREE.Vector3()).multiplyScalar(0.35));
}

function boxOf(mesh) {
  const box = new THREE.Box3(), point = new THREE.Vector3();
  for (let i = 0; i < mesh.geometry.attributes.position.count; i++) box.expandByPoint(worldPoint(mesh, i, point));
  return box;
}

function largest(meshes) {
  return meshes.reduce((best, mesh) => (mesh.geometry.attributes.position.count > best.geometry.attributes.position.count ? mesh : best));
}

// Turns a face that lies or looks away (Z up, VRM 0) by quarters: the brows above the mouth, the mouth before the middle of the head.
// A face whose shapes do not tell stands as the file has it.
function uprightTurn(morphs, box) {
  const brows = morphs.middleOf("BrowInnerUp", "EyeBlinkLeft", "EyeBlinkRight"), mouth = morphs.middleOf("MouthPucker", "JawOpen");
  const least = 0.05 * box.getSize(new THREE.Vector3()).length();
  let up = new THREE.Vector3(0, 1, 0), front = new THREE.Vector3(0, 0, morphs.back ? -1 : 1);
  if (brows && mouth && brows.distanceTo(mouth) > least) up = nearestAxis(brows.sub(mouth));
  if (mouth) {
    const ahead = mouth.sub(box.getCenter(new THREE.Vector3())).projectOnPlane(up);
    if (ahead.length() > least) front = nearestAxis(ahead);
  }
  if (Math.abs(front.dot(up)) > 0.5) front = new THREE.Vector3(0, -up.z, up.y); // lying on its back: it looks where its chin does not
  const side = new THREE.Vector3().crossVectors(up, front);
  return new THREE.Quaternion().setFromRotationMatrix(new THREE.Matrix4().makeBasis(side, up, front)).invert();
}

function nearestAxis(direction) {
  const { x, y, z } = direction, most = Math.max(Math.abs(x), Math.abs(y), Math.abs(z));
  if (Math.abs(y) === most) return new THREE.Vector3(0, Math.sign(y), 0);
  return Math.abs(z) === most ? new THREE.Vector3(0, 0, Math.sign(z)) : new THREE.Vector3(Math.sign(x), 0, 0);
}
