// Play, scrub, loop, step, speed. All of it happens in the browser: the page's server hears of it only for receivers that follow.

import { stage } from "livelink-preview/stage.js";

export default {
  template: `
    <div class="transport">
      <button class="icon" title="To the start (Home)" @click="stage.seek(0)"><i class="material-icons">first_page</i></button>
      <button class="icon" title="One frame back (left arrow)" @click="stage.step(-1)"><i class="material-icons">chevron_left</i></button>
      <button class="icon play" id="play" :title="playing ? 'Pause (space)' : 'Play (space)'" @click="stage.toggle()" :disabled="!clip">
        <i class="material-icons">{{ playing ? "pause" : "play_arrow" }}</i></button>
      <button class="icon" title="One frame on (right arrow)" @click="stage.step(1)"><i class="material-icons">chevron_right</i></button>
      <button class="icon" :class="{ on: loop }" id="loop" title="Loop (L); drag on the timeline with shift to loop a part" @click="stage.setLoop(!stage.loop)">
        <i class="material-icons">repeat</i></button>
      <input type="range" class="scrub" id="scrub" min="0" :max="duration" step="0.001" :value="time" aria-label="Position"
        @input="stage.seek(+$event.target.value)" @keydown.prevent />
      <span class="time" id="time">{{ shown }}</span>
      <select class="speed" id="speed" aria-label="Speed" title="Speed" :value="speed" @change="stage.setSpeed(+$event.target.value); $event.target.blur()">
        <option v-for="rate in [0.1, 0.25, 0.5, 0.75, 1, 1.5]" :key="rate" :value="rate">{{ rate }} ×</option>
      </select>
      <div class="sides" role="group" title="A: what the sliders make. B: what it is compared with. Key B changes over.">
        <button :class="{ on: side === 'a' }" id="side-a" @click="stage.setSide('a')">A</button>
        <button :class="{ on: side === 'b' }" id="side-b" @click="stage.setSide('b')">B</button>
      </div>
    </div>`,
  props: { follow: Boolean },
  emits: ["moved"],
  data: () => ({ playing: false, loop: false, time: 0, duration: 0, speed: 1, side: "a", clip: null, frame: 0, stage: null }),
  created() {
    this.stage = Vue.markRaw(stage);
  },
  mounted() {
    for (const what of ["clip", "transport", "side", "seek"]) stage.addEventListener(what, () => this.read());
    stage.addEventListener("transport", () => this.report());
    stage.addEventListener("seek", () => this.report());
    setInterval(() => this.report(), 500);
    this.read();
    this.loopOn();
  },
  computed: {
    shown() {
      const minutes = Math.floor(this.time / 60);
      return `${minutes}:${(this.time - 60 * minutes).toFixed(2).padStart(5, "0")}   frame ${this.frame}`;
    },
  },
  methods: {
    read() {
      Object.assign(this, { playing: stage.playing, loop: stage.loop, duration: stage.duration, speed: stage.speed, side: stage.side });
      Object.assign(this, { clip: stage.clip?.id ?? null, time: stage.time, frame: stage.frame });
    },
    loopOn() {
      requestAnimationFrame(() => this.loopOn());
      if (this.time !== stage.time) Object.assign(this, { time: stage.time, frame: stage.frame });
      if (this.playing !== stage.playing) this.playing = stage.playing;
    },
    report() {
      if (this.follow) this.$emit("moved", { time: stage.time, playing: stage.playing, speed: stage.speed, side: stage.side });
    },
  },
};
