// Which stretch of time is seen, and where on the canvas.

const SHORTEST = 0.08; // seconds across the whole width: five frames

export class View {
  constructor() {
    this.from = 0;
    this.to = this.duration = 1;
    this.left = 0;
    this.width = 1;
  }

  place(left, width) {
    this.left = left;
    this.width = width;
  }

  whole(duration) {
    this.duration = Math.max(duration, SHORTEST);
    this.from = 0;
    this.to = this.duration;
  }

  get span() {
    return this.to - this.from;
  }

  get perPixel() {
    return this.span / this.width;
  }

  x(time) {
    return this.left + (time - this.from) / this.perPixel;
  }

  time(x) {
    return Math.max(0, Math.min(this.duration, this.from + (x - this.left) * this.perPixel));
  }

  // Multiply the span, `around` staying where it is; Infinity shows all.
  zoom(factor, around) {
    const span = Math.max(SHORTEST, Math.min(this.duration, this.span * factor));
    const share = Math.max(0, Math.min(1, (around - this.from) / this.span));
    this.put(around - share * span, span);
  }

  pan(seconds) {
    this.put(this.from + seconds, this.span);
  }

  // Turn the page when the playhead leaves it. True when that moved the view.
  follow(time) {
    if (time >= this.from && time <= this.to) return false;
    const back = time < this.from && time > this.from - 0.5 * this.span; // going backwards, not back to a loop's beginning
    this.put(time - (back ? 0.95 : 0.05) * this.span, this.span);
    return true;
  }

  put(from, span) {
    this.from = Math.max(0, Math.min(this.duration - span, from));
    this.to = this.from + span;
  }
}
