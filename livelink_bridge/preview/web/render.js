// A video's frames: the face posed and pictured frame by frame. While one is sent the next is drawn.

import { CHANNELS, TILE_FRAMES, stage } from "livelink-preview/stage.js";

const PATIENCE_MS = 30_000; // without an answer of the program: as long as it waits for a tab that is out of reach

let last = Promise.resolve();

// `order`: {video, frames, width, height}. Returns what went wrong in a sentence, or nothing. One video after another: a cancelled
// one may still be drawing its frame when the next is asked for.
export function renderVideo(order) {
  return (last = last.then(() => render(order)));
}

async function render({ video, frames, width, height }) {
  stage.clock.pause();
  stage.tell("transport");
  let film, sent;
  try {
    film = document.querySelector("canvas#face").studio.film(width, height);
    for (let frame = 0; frame < frames; frame++) {
      const picture = await film.picture(await poseOf(video, frame));
      await sent;
      sent = send(video, frame, picture);
      sent.catch(() => {}); // the error is raised where it is awaited
    }
    await sent;
    return "";
  } catch (error) {
    return error.told ?? `The video was given up: ${error.message}.`;
  } finally {
    film?.close();
  }
}

let tile = {}; // the newest piece of a video's poses

// The pose of a video's frame: those of its beginning, which the sliders do not change.
async function poseOf(video, frame) {
  const index = Math.floor(frame / TILE_FRAMES);
  if (tile.video !== video || tile.index !== index) {
    const answer = await ask(`/session/video/${video}/poses/${index}`);
    if (answer.status !== 200) throw cancelled();
    tile = { video, index, poses: new Float32Array(await answer.arrayBuffer()) };
  }
  const from = (frame - index * TILE_FRAMES) * CHANNELS;
  return tile.poses.subarray(from, from + CHANNELS);
}

async function send(video, frame, picture) {
  const answer = await ask(`/session/video/${video}/${frame}`, { method: "POST", body: picture });
  if (answer.status === 204) throw cancelled();
  if (answer.ok) return;
  const said = await answer.json().catch(() => null);
  throw Object.assign(new Error("the program behind this page refused a frame"), said && { told: said.detail });
}

// Where the video was cancelled nothing more is to be said.
const cancelled = () => Object.assign(new Error("it was cancelled"), { told: "" });

// Ask the program, again and again while it is out of reach: a frame that has come twice is taken once.
async function ask(url, options) {
  const since = performance.now();
  for (;;) {
    try {
      return await fetch(url, options);
    } catch {
      if (performance.now() - since > PATIENCE_MS) throw new Error("the program behind this page does not answer");
      await new Promise((done) => setTimeout(done, 500));
    }
  }
}
