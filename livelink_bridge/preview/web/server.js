// Says on the page when the program behind it has stopped, and takes it back when it answers again.

export function watchServer(say) {
  const sentence = "The program behind this page has stopped. What is on the page still plays; nothing can be changed or saved until `livelink-bridge preview` runs again.";
  const wait = setInterval(() => {
    if (!window.socket) return;
    clearInterval(wait);
    window.socket.on("disconnect", () => say(sentence));
    window.socket.on("connect", () => say(""));
  }, 50);
}
