// The playback state of the page: clip, position, what is shown. One for the page; every view reads it and is notified by events:
//   "clip" another clip, "poses" values arrived, "side" A or B, "transport" playing, loop or speed, "seek" a jump,
//   "curves" which channels are drawn, "look" zoom of the timeline, "live" a live pose.

import { SilentClock, soundClock } from "livelink-preview/clock.js";
import { Tiles } from "livelink-preview/tiles.js";

export const CHANNELS = 61;
export const TILE_FRAMES = 4096;
export const TILE_POINTS = 1024;
export const SHRINK = 16;
const NEAR = 5e-4; // seconds: more than a clock's rounding, far less than a frame
export const COLOURS = ["#4cc2ff", "#ffb454", "#7ee081", "#ff7ab6", "#b79bff", "#f5e663", "#5fe0d0", "#ff8a65"];

class Stage extends EventTarget {
  clip = null;
  clock = new SilentClock(0);
  side = "a";
  speed = 1;
  loop = false;
  region = null; // [from, to] in seconds, or the whole clip
  curves = ["JawOpen", "MouthClose", "MouthFunnel", "MouthPucker"];
  names = [];
  held = null; // {frame, time} after a step: the frame, and the time that the clock was given for it
  live = null; // the newest live pose, or null when a clip is shown
  sides = {};

  constructor() {
    super();
    for (const side of ["a", "b"]) this.sides[side] = this.tilesOf(side);
  }

  tilesOf(side) {
    const url = (level, index, revision) => `/session/poses/${side}/${level}/${index}?of=${this.clip?.id}&revision=${revision}`;
    return new Tiles(url, () => this.tell("poses"));
  }

  tell(what) {
    this.dispatchEvent(new Event(what));
  }

  async open(id, revision) {
    if (!id) return;
    const answer = await fetch(`/session/clip/${id}`);
    if (answer.status !== 200) return;
    this.clock.pause();
    if (this.clock.src) this.clock.removeAttribute("src"); // it would go on asking for a sound that is gone
    this.clip = await answer.json();
    for (const side of ["a", "b"]) {
      this.sides[side] = this.tilesOf(side);
      this.sides[side].revision = revision[side];
    }
    this.clock = this.clip.sound ? soundClock(`/session/sound/${id}`) : new SilentClock(this.clip.duration);
    this.clock.playbackRate = this.speed;
    this.region = this.held = null;
    for (const what of ["clip", "poses", "transport", "seek"]) this.tell(what);
  }

  get duration() {
    return this.clip?.duration ?? 0;
  }

  get playing() {
    return !this.clock.paused && !this.clock.ended;
  }

  get time() {
    return this.atFrame ? this.held.frame / this.clip.rate : Math.min(this.clock.currentTime, this.duration);
  }

  // Whether the page stands on the frame that was stepped to. The clock alone cannot tell: a media element cuts its time to
  // microseconds, which is often a little before the frame.
  get atFrame() {
    return this.held !== null && this.clock.paused && Math.abs(this.clock.currentTime - this.held.time) < NEAR;
  }

  // Which frame is shown, an integer from 0: the one stepped to, or the one whose time has come.
  get frame() {
    if (!this.clip) return 0;
    return this.atFrame ? this.held.frame : Math.min(this.lastFrame, Math.floor((this.time + NEAR) * this.clip.rate));
  }

  get lastFrame() {
    return Math.max(0, Math.min(this.clip.frames - 1, Math.floor((this.duration + NEAR) * this.clip.rate)));
  }

  // Called once per drawn frame: keeps a loop going.
  turn() {
    if (!this.clip || this.clock.paused) return;
    const [from, to] = this.region ?? [0, this.duration];
    if (this.loop && (this.clock.ended || this.clock.currentTime >= to)) {
      this.clock.currentTime = from;
      if (this.clock.paused || this.clock.ended) this.clock.play().catch(() => {});
    } else if (this.clock.ended) {
      this.clock.pause();
      this.tell("transport");
    }
  }

  async toggle() {
    if (!this.clip) return;
    if (this.playing) this.clock.pause();
    else {
      if (this.time >= this.duration - 0.02) this.seek(this.region?.[0] ?? 0);
      await this.clock.play().catch((error) => this.trouble(`The browser does not play this audio: ${error.message}`));
    }
    this.tell("transport");
  }

  seek(time) {
    this.held = null;
    this.clock.currentTime = Math.max(0, Math.min(this.duration, time));
    this.tell("seek");
  }

  step(frames) {
    if (!this.clip) return;
    this.clock.pause();
    const frame = Math.max(0, Math.min(this.lastFrame, this.frame + frames));
    this.held = { frame, time: Math.min(this.duration, frame / this.clip.rate) };
    this.clock.currentTime = this.held.time;
    this.tell("seek");
    this.tell("transport");
  }

  setSpeed(speed) {
    this.speed = this.clock.playbackRate = speed;
    this.tell("transport");
  }

  setLoop(on, region = this.region) {
    this.loop = on;
    this.region = region;
    this.tell("transport");
  }

  setSide(side) {
    this.side = side;
    this.tell("side");
  }

  toggleCurve(name) {
    this.curves = this.curves.includes(name) ? this.curves.filter((other) => other !== name) : [...this.curves, name].slice(-COLOURS.length);
    this.tell("curves");
  }

  colourOf(name) {
    const at = this.curves.indexOf(name);
    return at < 0 ? null : COLOURS[at % COLOURS.length];
  }

  trouble(sentence) {
    this.dispatchEvent(new CustomEvent("trouble", { detail: sentence }));
  }

  // The pose of a side at a time, into `pose` (61 numbers), between its two frames. False while it has not arrived.
  poseAt(time, pose, side = this.side) {
    if (!this.clip) return false;
    const last = this.clip.frames - 1;
    const at = Math.max(0, Math.min(last, time * this.clip.rate));
    const frame = Math.floor(at);
    const one = this.row(side, frame);
    const other = this.row(side, Math.min(last, frame + 1));
    if (!one || !other) return false;
    const share = at - frame;
    for (let i = 0; i < CHANNELS; i++) pose[i] = one[i] + share * (other[i] - one[i]);
    return true;
  }

  row(side, frame) {
    const index = Math.floor(frame / TILE_FRAMES);
    const tile = this.sides[side].get(0, index);
    if (!tile) return null;
    const from = (frame - index * TILE_FRAMES) * CHANNELS;
    return from + CHANNELS <= tile.length ? tile.subarray(from, from + CHANNELS) : null;
  }
}

export const stage = new Stage();
window.livelinkStage = stage;
