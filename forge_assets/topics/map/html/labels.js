// Names over the map: groups, and topics once the view is near enough; a name that would cover another waits for a nearer view.

const TOPICS_FROM = 1.8; // zoom
const MOST_LABELS = 90;

class Labels {
  constructor(canvas, view, meta) {
    this.context = canvas.getContext("2d");
    this.canvas = canvas;
    this.view = view;
    const near = (entry) => entry.at;
    this.groups = meta.groups.filter(near);
    this.topics = meta.topics.filter(near);
  }

  // ink and back: colours of text and of its rim; marked: a point with a ring, -1 for none; crossed: whether the middle is marked.
  draw(ink, back, shown, marked, crossed) {
    const { context, view } = this;
    this.canvas.width = view.width;
    this.canvas.height = view.height;
    const ratio = view.ratio;
    context.lineJoin = "round";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.strokeStyle = back;
    context.fillStyle = ink;
    const taken = [];
    const heads = this.groups.length ? this.groups : this.topics;
    const far = view.zoom < TOPICS_FROM;
    if (far) for (const entry of heads) this.put(entry, 600, 14 * ratio, taken, shown);
    if (!far || !this.groups.length) for (const entry of this.topics) this.put(entry, 500, 12 * ratio, taken, shown);
    if (marked >= 0) this.ring(marked, ink, ratio);
    if (crossed) this.cross(ink, ratio);
  }

  put(entry, weight, size, taken, shown) {
    if (taken.length >= MOST_LABELS || !shown(entry)) return;
    const { context, view } = this;
    const [x, y] = view.toScreen(...entry.at);
    if (x < 0 || y < 0 || x > view.width || y > view.height) return;
    context.font = `${weight} ${size}px system-ui, sans-serif`;
    const lines = entry.short;
    const width = Math.max(...lines.map((line) => context.measureText(line).width)) / 2 + 4;
    const height = (lines.length * size * 1.15) / 2 + 2;
    const box = [x - width, y - height, x + width, y + height];
    if (taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) return;
    taken.push(box);
    context.lineWidth = size / 4;
    lines.forEach((line, n) => {
      const at = y + (n - (lines.length - 1) / 2) * size * 1.15;
      context.strokeText(line, x, at);
      context.fillText(line, x, at);
    });
  }

  ring(point, ink, ratio) {
    const { context, view } = this;
    const [x, y] = view.toScreen(view.points.x[point], view.points.y[point]);
    context.beginPath();
    context.arc(x, y, view.radius + 4 * ratio, 0, 2 * Math.PI);
    context.lineWidth = 2 * ratio;
    context.strokeStyle = ink;
    context.stroke();
  }

  cross(ink, ratio) {
    const { context, view } = this;
    const [x, y, arm] = [view.width / 2, view.height / 2, 9 * ratio];
    context.beginPath();
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
    context.lineWidth = ratio;
    context.strokeStyle = ink;
    context.stroke();
  }
}
