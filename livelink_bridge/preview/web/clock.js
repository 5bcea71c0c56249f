// What says where we are in a clip: the sound's own position, or, for a take without sound, a clock that keeps time by itself.

export class SilentClock {
  constructor(duration) {
    this.duration = duration;
    this.playbackRate = 1;
    this.paused = true;
    this.from = 0;
    this.since = 0;
  }

  get currentTime() {
    const run = this.paused ? 0 : ((performance.now() - this.since) / 1000) * this.playbackRate;
    return Math.min(this.duration, this.from + run);
  }

  set currentTime(time) {
    this.from = time;
    this.since = performance.now();
  }

  get ended() {
    return this.currentTime >= this.duration;
  }

  async play() {
    this.currentTime = this.currentTime;
    this.paused = false;
  }

  pause() {
    this.currentTime = this.currentTime;
    this.paused = true;
  }
}

export function soundClock(url) {
  const audio = new Audio(url);
  audio.preload = "auto";
  audio.preservesPitch = true;
  return audio;
}
