// The keyboard of the live page: each key presses its button. What a button refuses, its key refuses too.

import { typing, wordOf } from "livelink-preview/keys.js";

const BUTTONS = { r: "record", m: "mute", n: "neutral", c: "calibrate" };

// `panel` is the live panel. Returns what stops the listening.
export function listenToLiveKeys(panel) {
  const heard = (event) => {
    if (event.repeat || typing(document.activeElement) || document.querySelector(".q-dialog")) return;
    const word = wordOf(event);
    if (word) panel.$emit("key", word);
    else if (event.ctrlKey || event.metaKey || event.altKey || !pressed(panel, event.key.toLowerCase())) return;
    event.preventDefault();
    event.stopPropagation(); // a focused button would be pressed as well
  };
  document.addEventListener("keydown", heard, true);
  return () => document.removeEventListener("keydown", heard, true);
}

// True where the key means something here.
function pressed(panel, key) {
  const { subjects, moods } = panel.state, step = { pageup: -1, pagedown: 1 }[key];
  if (step && subjects.length > 1) panel.$emit("choose", (panel.performer + step + subjects.length) % subjects.length);
  else if (BUTTONS[key]) panel.$refs.panel.querySelector(`#${BUTTONS[key]}`)?.click();
  else if (key.length === 1 && key >= "0" && key <= "9" && moods[key] && subjects.length) panel.feel(moods[key]);
  else return false;
  return true;
}
