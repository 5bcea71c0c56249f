// The playback position in a clip: that of the audio element, or, for a take without audio, of a free-running clock.

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
