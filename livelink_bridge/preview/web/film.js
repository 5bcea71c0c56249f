// Pictures of the face off the page's canvas, at a size of their own, as the page's camera sees it.

import { THREE } from "nicegui-scene";

const QUALITY = 0.95;

export class Film {
  // `behind` is the colour behind the face. Throws an Error with a sentence where the browser draws no such picture.
  constructor(studio, width, height, behind) {
    this.studio = studio;
    this.canvas = document.createElement("canvas");
    this.lost = false;
    this.canvas.addEventListener("webglcontextlost", () => (this.lost = true));
    this.renderer = new THREE.WebGLRenderer({ canvas: this.canvas, antialias: true, preserveDrawingBuffer: true });
    this.renderer.setPixelRatio(1);
    this.renderer.setSize(width, height, false);
    const drawn = this.renderer.getContext();
    if (drawn.drawingBufferWidth !== width || drawn.drawingBufferHeight !== height) {
      this.close();
      throw new Error(`it draws at most ${drawn.drawingBufferWidth} x ${drawn.drawingBufferHeight} of ${width} x ${height}`);
    }
    this.camera = cameraFor(studio, width / height);
    studio.paint(behind);
  }

  // A JPEG of the face as it is posed now.
  async picture() {
    this.renderer.render(this.studio.scene, this.camera);
    const taken = await new Promise((done) => this.canvas.toBlob(done, "image/jpeg", QUALITY));
    if (this.lost || !taken) throw new Error("the graphics driver stopped");
    return taken;
  }

  close() {
    this.studio.paint(null);
    this.renderer.dispose();
    this.renderer.forceContextLoss();
  }
}

// The page's camera for another shape of picture: farther away where that is narrower, as the page's own is.
function cameraFor(studio, aspect) {
  const camera = studio.camera.clone(false), target = studio.controls.target;
  const farther = studio.narrow(studio.camera.aspect) / studio.narrow(aspect);
  camera.position.sub(target).multiplyScalar(farther).add(target);
  camera.aspect = aspect;
  camera.far *= Math.max(1, farther);
  camera.updateProjectionMatrix();
  camera.updateMatrixWorld(true);
  return camera;
}
