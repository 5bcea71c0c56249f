// Binary pieces of a long row of numbers, fetched when they are looked at. What is stale is shown until the fresh one is there.

const KEPT = 32; // pieces held at once: two hours of curves would be 100 MB

export class Tiles {
  // `url(level, index, revision)` names a piece; `onArrival` is called when one has come.
  constructor(url, onArrival) {
    this.url = url;
    this.onArrival = onArrival;
    this.revision = 0;
    this.pieces = new Map();
  }

  refresh(revision) {
    this.revision = revision;
    this.onArrival();
  }

  // Float32Array of a piece, or null while it is not there. Asks for it where it is missing or stale: one question at a time for each.
  get(level, index) {
    const key = `${level}/${index}`;
    let piece = this.pieces.get(key);
    if (!piece) this.pieces.set(key, (piece = { data: null, revision: -1, asked: false, tries: 0 }));
    else {
      this.pieces.delete(key); // to the young end
      this.pieces.set(key, piece);
    }
    if (piece.revision !== this.revision && !piece.asked) this.fetch(piece, level, index);
    while (this.pieces.size > KEPT) this.pieces.delete(this.pieces.keys().next().value);
    return piece.data;
  }

  async fetch(piece, level, index) {
    const revision = this.revision;
    piece.asked = true;
    try {
      const answer = await fetch(this.url(level, index, revision));
      if (answer.status !== 200) throw new Error(`${answer.status}`);
      piece.data = new Float32Array(await answer.arrayBuffer());
      piece.revision = revision;
      piece.tries = 0;
    } catch {
      await new Promise((done) => setTimeout(done, Math.min(4000, 250 * 2 ** piece.tries++)));
    }
    piece.asked = false;
    this.onArrival();
  }
}
