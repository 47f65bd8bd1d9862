// The part of the map that is seen, drawn pixel by pixel into an image: this needs no graphics card and takes some milliseconds for all points.

const HIDDEN = 0, SHOWN = 1, FAINT = 2, HIT = 3;
const CLOSEST = 400; // times nearer than the whole map
const LARGEST_DOT = 9; // radius in CSS pixels

class View {
  constructor(canvas, points) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.points = points;
    this.state = new Uint8Array(points.n).fill(SHOWN);
    this.middle = [32768, 32768];
    this.zoom = 1;
    this.resize();
  }

  resize() {
    this.ratio = Math.min(2, window.devicePixelRatio || 1);
    const box = this.canvas.getBoundingClientRect();
    this.width = this.canvas.width = Math.max(1, Math.round(box.width * this.ratio));
    this.height = this.canvas.height = Math.max(1, Math.round(box.height * this.ratio));
    this.image = this.context.createImageData(this.width, this.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  get scale() { // device pixels per unit of the map
    return (0.94 * Math.min(this.width, this.height) / 65536) * this.zoom;
  }

  toScreen(x, y) {
    return [(x - this.middle[0]) * this.scale + this.width / 2, (y - this.middle[1]) * this.scale + this.height / 2];
  }

  toMap(left, top) {
    return [(left - this.width / 2) / this.scale + this.middle[0], (top - this.height / 2) / this.scale + this.middle[1]];
  }

  move(left, top) {
    this.middle = [0, 1].map((axis) => Math.min(65536, Math.max(0, this.middle[axis] + [left, top][axis] / this.scale)));
  }

  zoomAt(factor, left = this.width / 2, top = this.height / 2) {
    const [x, y] = this.toMap(left, top);
    this.zoom = Math.min(CLOSEST, Math.max(0.8, this.zoom * factor));
    const [nowX, nowY] = this.toMap(left, top);
    this.move((x - nowX) * this.scale, (y - nowY) * this.scale);
  }

  show(x, y, zoom) {
    this.middle = [x, y];
    this.zoom = Math.max(this.zoom, zoom);
  }

  reset() {
    this.middle = [32768, 32768];
    this.zoom = 1;
  }

  get radius() {
    const room = Math.sqrt((0.3 * this.width * this.height) / (Math.PI * Math.max(1, this.points.n)));
    return Math.min(LARGEST_DOT * this.ratio, Math.min(5 * this.ratio, room) * Math.sqrt(this.zoom));
  }

  // First and last cell of a span of the map along one axis.
  static cells(from, to) {
    return [from, to].map((at) => Math.min(CELLS - 1, Math.max(0, at >> SHIFT)));
  }

  // colours: Uint32Array per topic; faint and back: one pixel each.
  draw(colours, faint, back) {
    this.pixels.fill(back);
    const dot = dotOf(this.radius, this.width);
    this.pass(dot, FAINT, colours.map(() => faint));
    this.pass(dot, SHOWN, colours);
    this.pass(dotOf(Math.max(this.radius * 1.4, 2.6 * this.ratio), this.width), HIT, colours);
    this.context.putImageData(this.image, 0, 0);
  }

  pass(dot, wanted, colours) {
    const { x, y, topic, start } = this.points;
    const { state, pixels, width, height, scale } = this;
    const { inner, edge, reach } = dot;
    const [left, top] = this.toMap(0, 0);
    const [right, bottom] = this.toMap(width, height);
    const [firstColumn, lastColumn] = View.cells(left, right);
    const [firstRow, lastRow] = View.cells(top, bottom);
    for (let row = firstRow; row <= lastRow; row++) {
      const end = start[row * CELLS + lastColumn + 1];
      for (let n = start[row * CELLS + firstColumn]; n < end; n++) {
        if (state[n] !== wanted) continue;
        const column = ((x[n] - left) * scale) | 0;
        const line = ((y[n] - top) * scale) | 0;
        if (column < reach || line < reach || column >= width - reach || line >= height - reach) continue;
        const at = line * width + column;
        const colour = colours[topic[n]];
        for (let k = 0; k < inner.length; k++) pixels[at + inner[k]] = colour;
        const half = (colour >>> 1) & 0x7f7f7f7f;
        for (let k = 0; k < edge.length; k++) pixels[at + edge[k]] = (((pixels[at + edge[k]] >>> 1) & 0x7f7f7f7f) + half) | 0xff000000;
      }
    }
  }

  // The point nearest to a place of the screen, within a distance in device pixels; -1 for none.
  nearest(left, top, within) {
    const { x, y, start } = this.points;
    const [atX, atY] = this.toMap(left, top);
    const reach = within / this.scale;
    const [firstColumn, lastColumn] = View.cells(atX - reach, atX + reach);
    const [firstRow, lastRow] = View.cells(atY - reach, atY + reach);
    let best = -1;
    let least = reach * reach;
    for (let row = firstRow; row <= lastRow; row++) {
      const end = start[row * CELLS + lastColumn + 1];
      for (let n = start[row * CELLS + firstColumn]; n < end; n++) {
        if (this.state[n] === HIDDEN) continue;
        const far = (x[n] - atX) ** 2 + (y[n] - atY) ** 2;
        if (far < least) [best, least] = [n, far];
      }
    }
    return best;
  }
}

// Offsets of the pixels of a dot: inner ones are painted over, those at the edge are mixed with what is there; so crowds of the smallest dots
// grow darker the denser they are.
function dotOf(radius, width) {
  if (radius < 0.8) return { inner: [], edge: [0], reach: 0 };
  if (radius < 1.2) return { inner: [], edge: [0, 1, width, width + 1], reach: 1 };
  const inner = [];
  const edge = [];
  const reach = Math.ceil(radius);
  for (let down = -reach; down <= reach; down++) {
    for (let right = -reach; right <= reach; right++) {
      const far = Math.hypot(down, right);
      if (far <= radius - 0.5) inner.push(down * width + right);
      else if (far <= radius + 0.4) edge.push(down * width + right);
    }
  }
  return { inner, edge, reach };
}

// #rrggbb as a pixel of an image in memory.
function pixel(colour) {
  const number = parseInt(colour.slice(1), 16);
  return ((0xff << 24) | ((number & 0xff) << 16) | (number & 0xff00) | (number >> 16)) >>> 0;
}
