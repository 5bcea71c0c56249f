// Joins the page's server and the stage: which clip, which revision of its poses, keys that mean work on the server, files dropped here.

import { listenToKeys } from "livelink-preview/keys.js";
import { takeDrops } from "livelink-preview/drops.js";
import { watchServer } from "livelink-preview/server.js";
import { renderVideo } from "livelink-preview/render.js";
import { stage } from "livelink-preview/stage.js";

export default {
  template: `<div class="drop-veil" v-if="dropping">Drop an audio file, a take (.csv) or a face (.glb, .vrm)</div>
    <div class="gone" v-if="gone" role="alert">{{ gone }}</div>`,
  props: { clip: String, revision: Object, largest: Number },
  emits: ["key", "dropped", "trouble", "rendered"],
  data: () => ({ dropping: false, gone: "" }),
  mounted() {
    listenToKeys((key) => this.$emit("key", key));
    takeDrops({
      largest: this.largest,
      over: (on) => (this.dropping = on),
      done: (drop) => this.$emit("dropped", drop),
      trouble: (sentence) => this.$emit("trouble", sentence),
    });
    watchServer((sentence) => (this.gone = sentence));
    stage.addEventListener("trouble", (event) => this.$emit("trouble", event.detail));
    stage.open(this.clip, this.revision);
  },
  watch: {
    clip() {
      stage.open(this.clip, this.revision);
    },
    revision(now) {
      for (const side of ["a", "b"]) if (stage.sides[side].revision !== now[side]) stage.sides[side].refresh(now[side]);
      stage.tell("revised");
    },
  },
  methods: {
    async render(order) {
      this.$emit("rendered", { video: order.video, trouble: await renderVideo(order) });
    },
    show(part) {
      stage.setLoop(false, part);
      stage.seek(part[0]);
    },
  },
};
