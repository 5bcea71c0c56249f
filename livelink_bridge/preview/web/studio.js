// Lights and camera: how a face is looked at.

import { OrbitControls, THREE } from "nicegui-scene";

const ANGLE = 22;

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
      this.camera.add(lamp); // the light comes along when the face is turned
    }
    this.scene.add(this.camera);
  }

  put(face, morphs) {
    if (this.face) this.scene.remove(this.face);
    this.face = face;
    this.scene.add(face);
    face.updateMatrixWorld(true);
    this.box = this.boxOf(morphs.meshes.length ? largest(morphs.meshes) : face);
    this.mouth = morphs.middleOf("mouthPucker") ?? morphs.middleOf("jawOpen");
    this.look(this.view);
  }

  boxOf(part) {
    const box = new THREE.Box3();
    const mesh = part.geometry ? part : null;
    if (!mesh) return box.setFromObject(part);
    mesh.geometry.computeBoundingBox(); // with morph targets it would hold every grimace: the points alone are wanted
    const points = mesh.geometry.attributes.position, point = new THREE.Vector3();
    for (let i = 0; i < points.count; i++) box.expandByPoint(mesh.localToWorld(point.fromBufferAttribute(points, i)));
    return box;
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
    if (this.face) this.look(this.view);
  }

  // What is behind the face: a colour, or null for what the page has there.
  paint(colour) {
    this.scene.background = colour && new THREE.Color(colour.trim());
  }

  draw() {
    this.renderer.render(this.scene, this.camera);
  }
}

function largest(meshes) {
  return meshes.reduce((best, mesh) => (mesh.geometry.attributes.position.count > best.geometry.attributes.position.count ? mesh : best));
}
