// The live face. One message is on its way at a time: the next is asked for when the last has been drawn, so a slow browser
// skips poses and none wait in a row.

import { CHANNELS, stage } from "livelink-preview/stage.js";

const HEAD = 2; // float64 numbers before the pose: its number, and when it was sent

let current = null;

// Follow a performer's newest session, and no other any more.
export function followLive(performer) {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/session/live?performer=${performer}`);
  current?.close();
  current = socket;
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    if (socket !== current) return;
    const [serial] = new Float64Array(data, 0, HEAD);
    stage.live = new Float32Array(data, 8 * HEAD, CHANNELS);
    stage.tell("live");
    requestAnimationFrame(() => setTimeout(() => answer(serial), 0)); // after the face has been drawn in that frame
  };
  function answer(serial) {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ shown: serial }));
  }
  socket.onclose = () => {
    if (socket !== current) return;
    stage.live = null;
    stage.tell("live");
  };
}
