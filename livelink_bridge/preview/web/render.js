// A video's frames: the face posed and pictured moment by moment, each sent before the next is drawn.

import { CHANNELS, stage } from "livelink-preview/stage.js";

// `order`: {frames, fps}. Returns what went wrong in a sentence, or nothing.
export async function renderVideo({ frames, fps }) {
  const canvas = document.querySelector("canvas#face"), pose = new Float32Array(CHANNELS);
  stage.clock.pause();
  stage.tell("transport");
  for (let frame = 0; frame < frames; frame++) {
    const time = frame / fps;
    while (!stage.poseAt(time, pose)) await new Promise((done) => setTimeout(done, 10));
    const picture = await canvas.studio.picture(time, "image/jpeg");
    const answer = await fetch("/session/video", { method: "POST", body: picture }).catch(() => null);
    if (!answer?.ok) return (await answer?.json().catch(() => null))?.detail ?? "The video was given up: the program behind this page does not answer.";
  }
  return "";
}
