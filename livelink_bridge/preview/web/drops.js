// Files dropped on the page, or chosen with the button: bounded here for a quick answer, and again where they arrive.

const KINDS = /\.(wav|flac|ogg|mp3|csv|glb|vrm|yaml|yml)$/i;

export function takeDrops({ largest, over, done, trouble }) {
  let inside = 0;
  const files = (event) => event.dataTransfer?.types?.includes("Files");
  document.addEventListener("dragenter", (event) => files(event) && (over(true), inside++));
  document.addEventListener("dragleave", (event) => files(event) && --inside === 0 && over(false));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    inside = 0;
    over(false);
    const [file, another] = event.dataTransfer.files;
    if (another) trouble("One file at a time: the first was taken.");
    if (file) send(file);
  });
  window.livelinkOpen = (as = "") => choose((file) => send(file, as));

  async function send(file, as = "") {
    if (!KINDS.test(file.name)) return trouble(`${file.name} is not audio (wav, flac, ogg, mp3), a take (.csv), a face (.glb, .vrm) or a character (.yaml).`);
    if (file.size > largest) return trouble(`${file.name} has ${megabytes(file.size)} MB, expected at most ${megabytes(largest)} MB.`);
    try {
      const answer = await fetch(`/session/drop?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
      const said = await answer.json();
      if (answer.ok) done({ file: said.file, as });
      else trouble(said.detail);
    } catch {
      trouble(`${file.name} did not arrive: the program behind this page does not answer.`);
    }
  }
}

function choose(take) {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = ".wav,.flac,.ogg,.mp3,.csv,.glb,.vrm,.yaml,.yml";
  input.onchange = () => input.files[0] && take(input.files[0]);
  input.click();
}

const megabytes = (bytes) => (bytes / 1048576).toFixed(1);
