// The keyboard. What only changes the state of this tab is done here; the rest is sent to the server by name.

import { stage } from "livelink-preview/stage.js";

const HERE = {
  " ": () => stage.toggle(),
  ArrowLeft: (event) => stage.step(event.shiftKey ? -10 : -1),
  ArrowRight: (event) => stage.step(event.shiftKey ? 10 : 1),
  Home: () => stage.seek(0),
  End: () => stage.seek(stage.duration),
  l: () => stage.setLoop(!stage.loop),
  b: () => stage.setSide(stage.side === "a" ? "b" : "a"),
  "+": () => stage.dispatchEvent(new CustomEvent("zoom", { detail: 0.5 })),
  "=": () => stage.dispatchEvent(new CustomEvent("zoom", { detail: 0.5 })),
  "-": () => stage.dispatchEvent(new CustomEvent("zoom", { detail: 2 })),
  0: () => stage.dispatchEvent(new CustomEvent("zoom", { detail: Infinity })),
};
const WORDS = { u: "undo", s: "save", "?": "help" };

export function listenToKeys(say) {
  document.addEventListener("keydown", (event) => {
    if (typing(document.activeElement) || document.querySelector(".q-dialog")) return;
    const word = wordOf(event);
    if (word) say(word);
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (HERE[keyOf(event)]) HERE[keyOf(event)](event);
    else return;
    event.preventDefault();
    event.stopPropagation(); // a focused button would be pressed by the space as well
  }, true);
  document.addEventListener("keyup", (event) => {
    if (event.key === " " && !typing(document.activeElement)) event.preventDefault();
  }, true);
}

function keyOf(event) {
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

export function wordOf(event) {
  const key = keyOf(event);
  if (event.ctrlKey || event.metaKey) return { z: event.shiftKey ? "redo" : "undo", y: "redo", s: "save" }[key];
  if (event.altKey) return undefined;
  return key === "u" && event.shiftKey ? "redo" : WORDS[key];
}

export function typing(element) {
  return element && (element.tagName === "TEXTAREA" || element.isContentEditable || (element.tagName === "INPUT" && !["range", "checkbox"].includes(element.type)));
}
