// node serve.mjs: answers requests until its input ends, so that the libraries are loaded once. A line of JSON each:
// ["play" | "rewrite" | "validate", ARGUMENTS...] in, {"answer": ...} or {"error": text} out.
import { createInterface } from "node:readline";
import { play } from "./play.mjs";
import { rewrite } from "./rewrite.mjs";
import { validate } from "./validate.mjs";

const does = { play, rewrite, validate };
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...given] = JSON.parse(line);
  let said;
  try {
    said = { answer: (await does[name](...given)) ?? null };
  } catch (error) {
    said = { error: `${error?.stack ?? error}` };
  }
  console.log(JSON.stringify(said));
}
