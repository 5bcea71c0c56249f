// Joins the page's server and a live face: whose poses are followed, and what is dropped here.

import { takeDrops } from "livelink-preview/drops.js";
import { followLive } from "livelink-preview/live.js";
import { watchServer } from "livelink-preview/server.js";

export default {
  template: `<div class="drop-veil" v-if="dropping">Drop a face (.glb, .vrm) or a character (.yaml)</div>
    <div class="gone" v-if="gone" role="alert">{{ gone }}</div>`,
  props: { session: Number, performer: Number, largest: Number },
  emits: ["dropped", "trouble"],
  data: () => ({ dropping: false, gone: "" }),
  mounted() {
    takeDrops({
      largest: this.largest,
      over: (on) => (this.dropping = on),
      done: (drop) => this.$emit("dropped", drop),
      trouble: (sentence) => this.$emit("trouble", sentence),
    });
    watchServer((sentence) => (this.gone = sentence && "The live session has ended: the program behind this page has stopped."));
    this.follow();
  },
  watch: {
    session() {
      this.follow();
    },
    performer() {
      this.follow();
    },
  },
  methods: {
    follow() {
      if (this.session) followLive(this.performer);
    },
  },
};
