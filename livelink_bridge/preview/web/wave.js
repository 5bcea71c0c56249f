// The waveform's tiles: lowest and highest sample of ever longer stretches.

import { Tiles } from "livelink-preview/tiles.js";

// `clip.peaks`: {rate, tile, levels, shrink, loudest}: points a second of level 0; points of a tile; how many levels; how many points
// become one from each level to the next; the largest of all.
export function waveTiles(clip, onArrival) {
  const tiles = new Tiles((level, index) => `/session/peaks/${clip.id}/${level}/${index}`, onArrival);
  return Object.assign(tiles, clip.peaks);
}

// Seconds of one point at a level.
export function pointSeconds(wave, level) {
  return wave.shrink ** level / wave.rate;
}
