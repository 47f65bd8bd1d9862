// The drawing: nodes and edges as SVG, moved and zoomed by the picture's own window.

const LABEL = 26; // characters of a name that are drawn
const LETTER = [6.7, 15]; // width and height of a letter of a label, about
const LEAST = 700; // width that few nodes are shown in

class View {
  constructor(svg, data, { node, edge }) {
    Object.assign(this, { svg, data, whenNode: node, whenEdge: edge });
    this.box = [-400, -300, 800, 600];
    this.dark = false;
    this.listen();
  }

  // Draws these edges and the nodes they join; `center` is drawn even without any.
  show(edges, center) {
    const used = new Set(center === null ? [] : [center]);
    for (const edge of edges) used.add(edge.a).add(edge.b);
    this.nodes = [...used];
    const place = new Map(this.nodes.map((node, n) => [node, n]));
    const at = layout(this.nodes.length, edges.map((edge) => [place.get(edge.a), place.get(edge.b)]));
    this.at = new Map(this.nodes.map((node, n) => [node, [at.x[n], at.y[n]]]));
    this.edges = edges;
    this.center = center;
    this.degree = new Map(this.nodes.map((node) => [node, 0]));
    for (const edge of edges) for (const end of [edge.a, edge.b]) this.degree.set(end, this.degree.get(end) + 1);
    this.paint();
    this.fit();
  }

  paint() {
    const shade = this.dark ? 1 : 0;
    const defs = draw("defs", {}, ...this.data.relations.map(({ colour }, n) =>
      draw("marker", { id: `head${n}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 9, markerHeight: 9, markerUnits: "userSpaceOnUse",
        orient: "auto" }, draw("path", { d: "M0 0L8 4L0 8z", fill: colour[shade] }))));
    this.edgeParts = new Map(this.edges.map((edge) => [edge.number, this.edge(edge, shade)]));
    this.nodeParts = new Map(this.nodes.map((node) => [node, this.node(node, shade)]));
    this.quieten();
    this.svg.replaceChildren(defs, draw("g", {}, ...this.edgeParts.values()), draw("g", {}, ...this.nodeParts.values()));
  }

  // Labels that would lie on a label of a better joined node wait until their node is pointed at.
  quieten() {
    const taken = [];
    const rank = (node) => (node === this.center ? Infinity : this.degree.get(node));
    for (const node of [...this.nodes].sort((a, b) => rank(b) - rank(a) || a - b)) {
      const [x, y] = this.at.get(node);
      const half = (Math.min(LABEL, this.data.nodes[node].name.length) * LETTER[0]) / 2;
      const box = [x - half, y + this.radius(node) + 2, x + half, y + this.radius(node) + 2 + LETTER[1]];
      const hidden = taken.some(([left, top, right, bottom]) => box[0] < right && left < box[2] && box[1] < bottom && top < box[3]);
      if (!hidden) taken.push(box);
      this.nodeParts.get(node).classList.toggle("quiet", hidden);
    }
  }

  radius(node) {
    return Math.min(16, 6 + 1.5 * Math.sqrt(this.degree.get(node)));
  }

  edge(edge, shade) {
    const [[ax, ay], [bx, by]] = [this.at.get(edge.a), this.at.get(edge.b)];
    const relation = this.data.relations[edge.relation];
    const length = Math.hypot(bx - ax, by - ay) || 1;
    const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
    const [from, to] = [this.radius(edge.a) + 1, this.radius(edge.b) + 3];
    const bend = this.bend(edge) * 34;
    const [mx, my] = [(ax + bx) / 2 - uy * bend, (ay + by) / 2 + ux * bend];
    const d = `M${ax + ux * from} ${ay + uy * from}Q${mx} ${my} ${bx - ux * to} ${by - uy * to}`;
    const seen = draw("path", { class: "seen", d, stroke: relation.colour[shade], "stroke-width": 1 + 2.5 * edge.confidence,
      "stroke-dasharray": relation.dash, ...(relation.both ? {} : { "marker-end": `url(#head${edge.relation})` }) });
    const label = this.said(edge);
    const made = draw("g", { class: "edge", role: "button", tabindex: 0, "aria-label": label, "data-edge": edge.number },
      draw("path", { class: "hit", d }), seen, draw("title", {}, label));
    this.answer(made, () => this.whenEdge(edge));
    return made;
  }

  // Edges between the same two are bent apart: 0, 1, -1, 2, ...
  bend(edge) {
    const same = this.edges.filter((one) => (one.a === edge.a && one.b === edge.b) || (one.a === edge.b && one.b === edge.a));
    const place = same.indexOf(edge);
    const side = (place % 2 ? 1 : -1) * Math.ceil(place / 2);
    return edge.a < edge.b ? side : -side;
  }

  node(node, shade) {
    const { name, slot } = this.data.nodes[node];
    const [x, y] = this.at.get(node);
    const short = [...name].length > LABEL ? `${[...name].slice(0, LABEL - 1).join("")}…` : name;
    const label = `${name}, ${this.data.slots[slot].title}`;
    const made = draw("g", { class: node === this.center ? "node center" : "node", role: "button", tabindex: 0, "aria-label": label,
      "data-node": node, transform: `translate(${x} ${y})` },
      draw("circle", { r: this.radius(node), fill: this.data.slots[slot].colour[shade] }),
      draw("text", { y: this.radius(node) + 14 }, short), draw("title", {}, label));
    this.answer(made, () => this.whenNode(node));
    return made;
  }

  said(edge) {
    const { nodes, relations } = this.data;
    return `${nodes[edge.a].name} ${relations[edge.relation].title} ${nodes[edge.b].name}`;
  }

  answer(part, act) {
    part.addEventListener("click", () => this.moved || act());
    part.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") (event.preventDefault(), act());
    });
  }

  // What is chosen stands out from the rest; nothing chosen, all do.
  mark(nodes, edges) {
    const any = nodes.size + edges.size > 0;
    for (const [node, part] of this.nodeParts) {
      part.classList.toggle("faint", any && !nodes.has(node));
      part.classList.toggle("chosen", nodes.has(node) && edges.size > 0 && nodes.size === 2);
    }
    for (const [edge, part] of this.edgeParts) {
      part.classList.toggle("faint", any && !edges.has(edge));
      part.classList.toggle("chosen", edges.has(edge) && edges.size === 1);
    }
  }

  fit() {
    const [xs, ys] = [0, 1].map((axis) => this.nodes.map((node) => this.at.get(node)[axis]));
    const [left, top, right, bottom] = [Math.min(...xs) - 80, Math.min(...ys) - 30, Math.max(...xs) + 80, Math.max(...ys) + 40];
    const [width, height] = xs.length ? [Math.max(right - left, LEAST), Math.max(bottom - top, LEAST * 0.7)] : [LEAST, LEAST];
    this.box = xs.length ? [(left + right - width) / 2, (top + bottom - height) / 2, width, height] : [0, 0, width, height];
    this.place();
  }

  place() {
    this.svg.setAttribute("viewBox", this.box.map((value) => value.toFixed(1)).join(" "));
  }

  // Zooms by a factor around a point of the screen, the middle by default.
  zoom(factor, clientX, clientY) {
    const frame = this.svg.getBoundingClientRect();
    const scale = this.scale();
    const [x, y] = [(clientX ?? frame.left + frame.width / 2) - frame.left, (clientY ?? frame.top + frame.height / 2) - frame.top];
    const [left, top] = [this.box[0] - (frame.width * scale - this.box[2]) / 2, this.box[1] - (frame.height * scale - this.box[3]) / 2];
    const size = [frame.width * scale * factor, frame.height * scale * factor];
    this.box = [left + x * scale * (1 - factor), top + y * scale * (1 - factor), ...size];
    this.place();
  }

  // Units of the drawing per pixel of the screen.
  scale() {
    const frame = this.svg.getBoundingClientRect();
    return Math.max(this.box[2] / frame.width, this.box[3] / frame.height);
  }

  listen() {
    const { svg } = this;
    svg.addEventListener("wheel", (event) => (event.preventDefault(), this.zoom(1.0015 ** event.deltaY, event.clientX, event.clientY)), { passive: false });
    svg.addEventListener("pointerdown", (event) => {
      this.from = [event.clientX, event.clientY, ...this.box];
      this.moved = false;
    });
    addEventListener("pointermove", (event) => {
      if (!this.from) return;
      const [x, y, left, top] = this.from;
      this.moved ||= Math.hypot(event.clientX - x, event.clientY - y) > 4;
      if (!this.moved) return;
      svg.classList.add("dragged");
      const scale = this.scale();
      [this.box[0], this.box[1]] = [left - (event.clientX - x) * scale, top - (event.clientY - y) * scale];
      this.place();
    });
    addEventListener("pointerup", () => {
      this.from = null;
      svg.classList.remove("dragged");
    });
  }
}
