// Everything over time: waveform, phones, visemes, closure marks, curves. One canvas is drawn when something changes, another on
// top of it holds what moves: the playhead, the loop, and what the mouse points at.

import { drawAxis, drawCurves, drawMarks, drawRegion, drawSegments, drawWave } from "livelink-preview/lanes.js";
import { waveTiles } from "livelink-preview/wave.js";
import { stage } from "livelink-preview/stage.js";
import { View } from "livelink-preview/view.js";

const GUTTER = 128;
const LANES = [["axis", 20], ["wave", 58], ["phones", 22], ["visemes", 18], ["closures", 18]];

export default {
  template: `
    <div class="timeline" ref="frame" :class="{ empty: !has }">
      <canvas ref="still" class="lanes"></canvas>
      <canvas ref="moving" class="lanes" id="timeline" @pointerdown="press" @pointermove="hover" @pointerup="drag = null"
        @pointerleave="mouse = null" @wheel.prevent="wheel" aria-label="Timeline"></canvas>
      <div class="timeline-hint" v-if="!has">Drop an audio file or a take here, or choose one with the folder button above.</div>
      <div class="tip" v-if="tip" :style="tip.place">{{ tip.text }}</div>
    </div>`,
  data: () => ({ has: false, tip: null }),
  created() {
    this.view = new View();
    this.mouse = this.drag = this.wave = null;
    this.marks = [];
  },
  mounted() {
    this.$refs.frame.view = this.view; // tests look at which stretch is seen
    stage.addEventListener("clip", () => this.open());
    for (const what of ["poses", "curves", "side"]) stage.addEventListener(what, () => (this.stale = this.news = true));
    stage.addEventListener("revised", () => this.fetchMarks());
    stage.addEventListener("seek", () => this.follow());
    stage.addEventListener("zoom", (event) => this.zoom(event.detail));
    new ResizeObserver(() => this.resize()).observe(this.$refs.frame);
    new MutationObserver(() => (this.stale = this.news = true)).observe(document.body, { attributeFilter: ["class"] }); // dark or light
    this.resize();
    this.loop();
  },
  methods: {
    open() {
      this.has = true;
      this.view.whole(stage.duration);
      this.wave = stage.clip.peaks ? waveTiles(stage.clip, () => (this.stale = true)) : null;
      this.fetchMarks();
      this.resize();
    },
    async fetchMarks() {
      if (!stage.clip || this.asking) return;
      this.asking = true;
      const revision = stage.sides.a.revision;
      const answer = await fetch(`/session/closures/${stage.clip.id}?revision=${revision}`).catch(() => null);
      if (answer?.status === 200) this.marks = await answer.json();
      this.asking = false;
      this.stale = true;
      if (stage.sides.a.revision !== revision) this.fetchMarks();
    },
    resize() {
      const { clientWidth: width, clientHeight: height } = this.$refs.frame;
      const sharp = window.devicePixelRatio || 1;
      for (const canvas of [this.$refs.still, this.$refs.moving]) {
        canvas.width = Math.round(width * sharp);
        canvas.height = Math.round(height * sharp);
        canvas.getContext("2d").setTransform(sharp, 0, 0, sharp, 0, 0);
      }
      this.width = width;
      this.height = height;
      this.view.place(GUTTER, Math.max(50, width - GUTTER - 10));
      this.stale = true;
    },
    // Where each lane is: {name: [top, height]}; lanes with nothing in them take no room.
    lanes() {
      const empty = { wave: !this.wave, phones: !stage.clip?.phones.length, visemes: !stage.clip?.visemes.length, closures: !this.marks.length };
      const places = {};
      let top = 0;
      for (const [name, height] of LANES) {
        if (empty[name]) continue;
        places[name] = [top, height];
        top += height + 3;
      }
      places.curves = [top + 3, this.height - top - 9];
      return places;
    },
    loop() {
      requestAnimationFrame(() => this.loop());
      if (!stage.clip || !this.width) return;
      if (stage.playing) this.follow();
      if (this.stale) this.drawStill();
      this.drawMoving();
    },
    // The playhead stays in view while it plays and wherever it is set; between, one may look elsewhere.
    follow() {
      if (this.view.follow(stage.time)) this.stale = true;
    },
    drawStill() {
      this.stale = false;
      const pen = this.$refs.still.getContext("2d"), look = colours(this.$refs.frame), { view } = this, { clip } = stage;
      pen.clearRect(0, 0, this.width, this.height);
      const at = this.lanes();
      drawAxis(pen, at.axis, view, look, this.height);
      if (at.wave) drawWave(pen, at.wave, view, look, this.wave);
      if (at.phones) drawSegments(pen, at.phones, view, look, clip.phones, "phones");
      if (at.visemes) drawSegments(pen, at.visemes, view, look, clip.visemes, "visemes");
      if (at.closures) drawMarks(pen, at.closures, view, look, this.marks, at.curves);
      drawCurves(pen, at.curves, view, look);
    },
    drawMoving() {
      const pen = this.$refs.moving.getContext("2d"), look = colours(this.$refs.frame), { view } = this;
      const key = [stage.time, stage.loop, stage.region, this.mouse?.[0], view.from, view.to, this.width].join();
      if (key === this.lastKey && !this.news) return;
      this.lastKey = key;
      this.news = false;
      pen.clearRect(0, 0, this.width, this.height);
      if (stage.region) drawRegion(pen, view, look, stage.region, this.height, stage.loop);
      if (this.mouse) line(pen, this.mouse[0], this.height, look.faint);
      const x = view.x(stage.time);
      if (x >= view.left - 1 && x <= view.left + view.width + 1) line(pen, x, this.height, look.accent, 1.5);
      this.drawValues(pen, look);
    },
    // The chosen channels and their values, at the mouse or else at the playhead.
    drawValues(pen, look) {
      const time = this.mouse ? view_time(this) : stage.time, [top, height] = this.lanes().curves;
      const pose = new Float32Array(61);
      const known = stage.poseAt(time, pose);
      const step = Math.min(17, height / Math.max(1, stage.curves.length));
      pen.font = "11px Roboto, sans-serif";
      stage.curves.forEach((name, i) => {
        const y = top + 9 + i * step;
        pen.fillStyle = stage.colourOf(name);
        pen.fillRect(8, y - 4, 8, 3);
        pen.fillStyle = look.soft;
        pen.textAlign = "left";
        pen.fillText(name.length > 13 ? `${name.slice(0, 12)}…` : name, 20, y);
        pen.fillStyle = look.text;
        pen.textAlign = "right";
        if (known) pen.fillText(pose[stage.names.indexOf(name)].toFixed(2), GUTTER - 6, y);
      });
      pen.textAlign = "left";
    },
    press(event) {
      if (!stage.clip || event.offsetX < GUTTER - 4) return;
      this.$refs.moving.setPointerCapture(event.pointerId);
      this.drag = { from: this.view.time(event.offsetX), region: event.shiftKey };
      if (!event.shiftKey) stage.seek(this.drag.from);
    },
    hover(event) {
      if (!stage.clip) return;
      this.mouse = event.offsetX >= GUTTER ? [event.offsetX, event.offsetY] : null;
      const time = this.view.time(event.offsetX);
      if (this.drag?.region) this.choose(time);
      else if (this.drag) stage.seek(time);
      this.pointAt(event, time);
    },
    choose(time) {
      const [from, to] = [this.drag.from, time].sort((a, b) => a - b);
      if (to - from > 0.03) stage.setLoop(true, [Math.max(0, from), Math.min(stage.duration, to)]);
    },
    pointAt(event, time) {
      const at = this.lanes().closures, near = 6 * this.view.perPixel;
      const mark = at && event.offsetY >= at[0] && event.offsetY <= at[0] + at[1] && this.marks.find((one) => Math.abs(one.time - time) < near);
      const text = mark && `${mark.phone} at ${mark.time.toFixed(2)} s: lips ${mark.sealed ? "sealed" : `not sealed, ${mark.opening.toFixed(2)} open`}`;
      this.tip = text ? { text, place: { left: `${event.offsetX + 12}px`, top: `${event.offsetY - 30}px` } } : null;
    },
    wheel(event) {
      if (!stage.clip) return;
      const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (sideways) this.view.pan(((event.deltaX || event.deltaY) * this.view.span) / this.view.width);
      else this.view.zoom(1.0015 ** event.deltaY, this.view.time(event.offsetX));
      this.stale = true;
    },
    zoom(factor) {
      this.view.zoom(factor, stage.time);
      this.stale = true;
    },
  },
};

const view_time = (timeline) => timeline.view.time(timeline.mouse[0]);

function line(pen, x, height, colour, width = 1) {
  pen.fillStyle = colour;
  pen.fillRect(x - width / 2, 0, width, height);
}

function colours(element) {
  const style = getComputedStyle(element), of = (name) => style.getPropertyValue(name).trim();
  return { text: of("--text"), soft: of("--soft"), faint: of("--faint"), lane: of("--lane"), accent: of("--accent"), wave: of("--wave"), good: of("--good"), bad: of("--bad"), chip: of("--chip") };
}
