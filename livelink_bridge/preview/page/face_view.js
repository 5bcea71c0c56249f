// The face: draws the pose of the stage's time, or the newest live pose, whenever it differs from what is drawn.

import { GLTFLoader } from "nicegui-scene";
import { CHANNELS, stage } from "livelink-preview/stage.js";
import { addDecoders } from "livelink-preview/decoders.js";
import { Film } from "livelink-preview/film.js";
import { Morphs } from "livelink-preview/morphs.js";
import { Studio } from "livelink-preview/studio.js";

export default {
  template: `
    <div class="face" ref="frame">
      <canvas :id="name" ref="canvas" :aria-label="label"></canvas>
      <div class="face-views" v-if="views">
        <button v-for="[view, word] in looks" :key="view" :class="{ on: look === view }" @click="turn(view)" :data-view="view">{{ word }}</button>
      </div>
      <div class="face-note" v-if="note">{{ note }}</div>
    </div>`,
  props: { name: String, file: String, side: String, views: Boolean, channels: Array, label: String },
  emits: ["trouble", "face"],
  data: () => ({ note: "", look: "face", looks: [["face", "face"], ["side", "three quarters"], ["mouth", "mouth"]] }),
  mounted() {
    stage.names = this.channels;
    this.wanted = new Float32Array(CHANNELS);
    this.drawn = new Float32Array(CHANNELS);
    this.changed = true;
    this.begin();
  },
  beforeUnmount() {
    this.gone = true;
    this.sizes?.disconnect();
    this.studio?.renderer.dispose();
  },
  watch: {
    file() {
      this.load();
    },
  },
  methods: {
    begin() {
      try {
        this.studio = new Studio(this.$refs.canvas, () => (this.changed = true));
      } catch (error) {
        this.fail(`This browser draws no 3D (WebGL): switch its hardware acceleration on, or use another. It said: ${error.message}`);
        return;
      }
      this.$refs.canvas.addEventListener("dblclick", () => this.turn(this.look));
      this.$refs.canvas.addEventListener("webglcontextlost", () => this.fail("The graphics driver stopped: reload the page."));
      this.$refs.canvas.studio = this; // the video's frames are drawn through it
      this.sizes = new ResizeObserver(() => this.resize());
      this.sizes.observe(this.$refs.frame);
      this.load();
      requestAnimationFrame(() => this.loop());
    },
    fail(sentence) {
      this.note = sentence;
      this.$emit("trouble", sentence);
    },
    async load() {
      const wanted = this.file;
      try {
        const map = await mapOf(wanted), loader = new GLTFLoader();
        const free = await addDecoders(loader, map.extensions, this.studio.renderer);
        const gltf = await loader.loadAsync(wanted).finally(free);
        if (wanted !== this.file) return;
        const morphs = new Morphs(gltf, map, this.channels);
        if (!morphs.found.size) throw new Error("none of its meshes with ARKit shapes is in its scene");
        this.morphs = morphs;
        this.studio.put(gltf.scene, morphs);
        this.shown = wanted;
        this.note = "";
        this.changed = true;
        this.$emit("face", { found: morphs.found.size });
      } catch (error) {
        this.fail(`This face cannot be shown: ${error.message}`);
      }
    },
    turn(view) {
      this.look = view;
      if (this.morphs) this.studio.look(view);
      this.changed = true;
    },
    resize() {
      const { clientWidth: width, clientHeight: height } = this.$refs.frame;
      if (!width || !height) return;
      this.studio.resize(width, height);
      this.changed = true;
    },
    loop() {
      if (this.gone) return;
      requestAnimationFrame(() => this.loop());
      stage.turn();
      if (!this.morphs || this.filming) return;
      this.pose();
      if (!this.changed && same(this.wanted, this.drawn)) return;
      this.draw(this.wanted);
      this.changed = false;
    },
    pose() {
      if (stage.live) this.wanted.set(stage.live);
      else if (stage.clip) stage.poseAt(stage.time, this.wanted, this.side || stage.side);
    },
    draw(pose) {
      this.morphs.apply(pose);
      this.studio.draw();
      this.drawn.set(pose);
      this.$refs.canvas.dataset.ready = "1";
      if (stage.live) stage.tell("shown");
    },
    // Pictures for a video, of poses, at a size of its own: {picture(pose), close()}. The page's own canvas is paused until it is closed.
    film(width, height) {
      if (!this.morphs) throw new Error("no face is shown");
      const film = new Film(this.studio, width, height, getComputedStyle(this.$refs.frame).getPropertyValue("--bg"));
      this.filming = true;
      return {
        picture: (pose) => (this.morphs.apply(pose), film.picture()),
        close: () => {
          film.close();
          this.filming = false;
          this.changed = true;
        },
      };
    },
  },
};

// Which morph target of a face follows which channel.
async function mapOf(file) {
  const answer = await fetch(`${file}/map`);
  if (answer.status !== 200) throw new Error("the program behind this page does not know it any more: open it again");
  return answer.json();
}

function same(one, other) {
  for (let i = 0; i < one.length; i++) if (Math.abs(one[i] - other[i]) > 1e-4) return false;
  return true;
}
