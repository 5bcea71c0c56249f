// The still part of the timeline, lane by lane. A place is [top, height] in pixels.

import { CHANNELS, SHRINK, TILE_FRAMES, TILE_POINTS, stage } from "livelink-preview/stage.js";
import { pointSeconds } from "livelink-preview/wave.js";

const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 1800];

export function drawAxis(pen, [top, height], view, look, bottom) {
  const step = STEPS.find((one) => one / view.perPixel >= 70) ?? 3600;
  pen.font = "10.5px Roboto, sans-serif";
  pen.textAlign = "left";
  for (let n = Math.ceil(view.from / step); n * step <= view.to; n++) {
    const x = Math.round(view.x(n * step));
    pen.fillStyle = look.lane;
    pen.fillRect(x, top + height - 4, 1, bottom);
    pen.fillStyle = look.soft;
    pen.fillText(stamp(n * step, step), x + 4, top + height - 6);
  }
}

function stamp(time, step) {
  const minutes = Math.floor(time / 60 + 1e-9), digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  const seconds = (time - 60 * minutes).toFixed(digits);
  return `${minutes}:${seconds.padStart(digits ? 3 + digits : 2, "0")}`;
}

function named(pen, [top, height], look, name) {
  pen.fillStyle = look.soft;
  pen.font = "11px Roboto, sans-serif";
  pen.textAlign = "left";
  pen.fillText(name, 8, top + height / 2 + 4);
}

function clipped(pen, view, [top, height], draw) {
  pen.save();
  pen.beginPath();
  pen.rect(view.left, top, view.width, height);
  pen.clip();
  draw();
  pen.restore();
}

export function drawWave(pen, place, view, look, wave) {
  const [top, height] = place, middle = top + height / 2;
  named(pen, place, look, "sound");
  let level = 0;
  while (level < wave.levels - 1 && pointSeconds(wave, level + 1) <= 1.5 * view.perPixel) level++;
  const point = pointSeconds(wave, level), wide = Math.max(1, point / view.perPixel) + 0.6; // no seams between them
  const reach = (height / 2 - 1) / Math.max(0.05, wave.loudest);
  clipped(pen, view, place, () => {
    pen.fillStyle = look.lane;
    pen.fillRect(view.left, middle, view.width, 1);
    pen.fillStyle = look.wave;
    for (let at = Math.max(0, Math.floor(view.from / point)); at * point < view.to; at++) {
      const tile = wave.get(level, Math.floor(at / wave.tile)), i = 2 * (at % wave.tile);
      if (!tile || i + 1 >= tile.length) continue;
      const high = middle - tile[i + 1] * reach, low = middle - tile[i] * reach;
      pen.fillRect(view.x(at * point), high, wide, Math.max(1, low - high));
    }
  });
}

export function drawSegments(pen, place, view, look, segments, name) {
  const [top, height] = place;
  named(pen, place, look, name);
  clipped(pen, view, place, () => {
    pen.font = "11.5px Roboto, sans-serif";
    pen.textAlign = "center";
    for (let i = firstAfter(segments, view.from); i < segments.length && segments[i][1] < view.to; i++) {
      const [label, start, end] = segments[i], x = view.x(start), width = view.x(end) - x;
      pen.fillStyle = silent(label) ? look.lane : look.chip;
      pen.fillRect(x + 0.5, top, Math.max(0.5, width - 1), height);
      if (silent(label) || width < 6 + 6 * label.length) continue;
      pen.fillStyle = look.text;
      pen.fillText(label, x + width / 2, top + height / 2 + 4);
    }
    pen.textAlign = "left";
  });
}

const silent = (label) => ["", "sil", "pau", "sp", "_", "SIL"].includes(label);

function firstAfter(segments, time) {
  let low = 0, high = segments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (segments[middle][2] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function drawMarks(pen, place, view, look, marks, [curvesTop, curvesHeight]) {
  const [top, height] = place;
  named(pen, place, look, "p b m");
  clipped(pen, view, [top, curvesTop + curvesHeight - top], () => {
    pen.font = "bold 11px Roboto, sans-serif";
    pen.textAlign = "center";
    for (const mark of marks) {
      const x = view.x(mark.time);
      if (x < view.left - 8 || x > view.left + view.width + 8) continue;
      pen.fillStyle = mark.sealed ? look.good : look.bad;
      pen.globalAlpha = 0.35;
      pen.fillRect(x - 0.5, top + height, 1, curvesTop + curvesHeight - top - height);
      pen.globalAlpha = 1;
      shape(pen, x, top + height / 2, mark.sealed);
    }
    pen.textAlign = "left";
  });
}

// Sealed: a filled disc. Not sealed: an open ring, so that colour alone does not tell.
function shape(pen, x, y, sealed) {
  pen.beginPath();
  pen.arc(x, y, 4.2, 0, 7);
  pen.strokeStyle = pen.fillStyle;
  pen.lineWidth = 1.8;
  if (sealed) pen.fill();
  pen.stroke();
}

export function drawRegion(pen, view, look, [from, to], height, looping) {
  const x = Math.max(view.left, view.x(from)), end = Math.min(view.left + view.width, view.x(to));
  if (end <= x) return;
  pen.globalAlpha = looping ? 0.14 : 0.06;
  pen.fillStyle = look.accent;
  pen.fillRect(x, 0, end - x, height);
  pen.globalAlpha = 1;
}

export function drawCurves(pen, place, view, look) {
  const [top, height] = place;
  for (const value of [0, 0.5, 1]) {
    pen.fillStyle = look.lane;
    pen.fillRect(view.left, Math.round(top + height * (1 - value)) - 0.5, view.width, 1);
  }
  clipped(pen, view, [top - 2, height + 4], () => {
    const other = stage.side === "a" ? "b" : "a";
    for (const name of stage.curves) {
      drawCurve(pen, place, view, name, other, 0.4, [4, 4]);
      drawCurve(pen, place, view, name, stage.side, 1, []);
    }
  });
}

// One channel of one side: a line through the frames, or between the lowest and highest of many where they lie too close.
function drawCurve(pen, [top, height], view, name, side, alpha, dashes) {
  const channel = stage.names.indexOf(name), { rate, frames } = stage.clip;
  let level = 0;
  while ((SHRINK ** (level + 1)) / rate <= view.perPixel) level++;
  const wide = SHRINK ** level, per = level ? TILE_POINTS : TILE_FRAMES, row = level ? 2 * CHANNELS : CHANNELS;
  const angle = channel >= 52; // radians, to both sides of the middle
  const y = (value) => top + height * (angle ? 0.5 - value / 1.6 : 1 - value);
  Object.assign(pen, { strokeStyle: stage.colourOf(name), globalAlpha: alpha, lineWidth: alpha < 1 ? 1 : 1.6 });
  pen.setLineDash(dashes);
  pen.beginPath();
  const last = Math.min(Math.ceil(frames / wide) - 1, Math.ceil((view.to * rate) / wide));
  for (let at = Math.max(0, Math.floor((view.from * rate) / wide)); at <= last; at++) {
    const tile = stage.sides[side].get(level, Math.floor(at / per)), from = (at % per) * row;
    if (!tile || from + row > tile.length) continue;
    const x = view.x((at * wide) / rate);
    pen.lineTo(x, y(tile[from + (level ? 2 : 1) * channel]));
    if (level) pen.lineTo(x, y(tile[from + 2 * channel + 1]));
  }
  pen.stroke();
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}
