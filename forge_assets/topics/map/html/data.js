// The page's blocks (base64 of deflated bytes) -> what they hold. Points are sorted into the cells of a grid, row by row, so that a view draws
// and a pointer searches only what is near; within a cell they are mixed, so that no topic hides the others.

const CHUNK = 1 << 20; // characters of base64 decoded at once; a multiple of 4
const SHIFT = 9; // the map is 65536 units wide, a cell 512
const CELLS = 65536 >> SHIFT;

function decoded(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let n = 0; n < raw.length; n++) bytes[n] = raw.charCodeAt(n);
  return bytes;
}

async function block(id) {
  const node = document.getElementById(id);
  const text = node.textContent.trim();
  node.remove();
  let at = 0;
  const packed = new ReadableStream({
    pull(controller) {
      if (at >= text.length) return controller.close();
      controller.enqueue(decoded(text.slice(at, at + CHUNK)));
      at += CHUNK;
    },
  });
  return new Response(packed.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
}

async function readMeta() {
  return JSON.parse(new TextDecoder().decode(await block("meta")));
}

// Arrays in the order of the grid: x, y (0 to 65535), topic (index into meta.topics, their number for "no topic"), year (0 for none), and the
// number that the point has in the file, which its title has too. start[c] is the first point of cell c.
async function readPoints(meta) {
  const buffer = await block("places");
  const n = meta.works;
  const [x, y, year] = [0, 1, 2].map((part) => new Uint16Array(buffer, part * 2 * n, n));
  const topic = new Uint16Array(n);
  let from = 0;
  for (const [index, count] of meta.runs) topic.fill(index, from, (from += count));
  const start = new Uint32Array(CELLS * CELLS + 1);
  const cell = (n) => (y[n] >> SHIFT) * CELLS + (x[n] >> SHIFT);
  for (let i = 0; i < n; i++) start[cell(i) + 1]++;
  for (let c = 0; c < CELLS * CELLS; c++) start[c + 1] += start[c];
  const next = start.slice();
  const number = new Uint32Array(n);
  const step = coprime(n);
  for (let i = 0, mixed = 0; i < n; i++, mixed = (mixed + step) % n) number[next[cell(mixed)]++] = mixed;
  const sorted = (from) => from.constructor.from(number, (i) => from[i]);
  return { n, x: sorted(x), y: sorted(y), topic: sorted(topic), year: sorted(year), number, start };
}

function coprime(n) {
  const divisor = (a, b) => (b ? divisor(b, a % b) : a);
  let step = Math.max(1, Math.round(n * 0.618));
  while (divisor(n, step) > 1) step++;
  return step;
}

// All titles as one text, a line each, and where the lines begin.
class Titles {
  constructor(text, n) {
    this.text = text;
    this.starts = lineStarts(text, n);
    this.low = null;
  }

  of(number) {
    return this.text.slice(this.starts[number], this.starts[number + 1] - 1);
  }

  // For each title 1 if every word of the query begins a word of it; null for an empty query.
  matching(query) {
    const words = query.toLowerCase().split(/[^\p{L}\p{N}+#.-]+/u).filter(Boolean);
    if (!words.length) return null;
    if (!this.low) {
      this.low = this.text.toLowerCase(); // may be longer than the text: lines are found anew
      this.lowStarts = lineStarts(this.low, this.starts.length - 1);
    }
    const held = new Uint8Array(this.starts.length - 1);
    words.slice(0, 200).forEach((word, rank) => this.mark(word, rank, held));
    const wanted = Math.min(words.length, 200);
    return held.map((count) => (count === wanted ? 1 : 0));
  }

  mark(word, rank, held) {
    let line = 0;
    for (let at = this.low.indexOf(word); at >= 0; ) {
      while (this.lowStarts[line + 1] <= at) line++;
      const begins = at === 0 || !/[\p{L}\p{N}]/u.test(this.low[at - 1]);
      if (begins && held[line] === rank) held[line]++;
      at = this.low.indexOf(word, begins ? this.lowStarts[line + 1] : at + 1);
    }
  }
}

function lineStarts(text, n) {
  const starts = new Uint32Array(n + 1);
  for (let line = 1, at = 0; line <= n; line++) starts[line] = at = text.indexOf("\n", at) + 1;
  return starts;
}

async function readTitles(n) {
  return new Titles(new TextDecoder().decode(await block("titles")), n);
}
