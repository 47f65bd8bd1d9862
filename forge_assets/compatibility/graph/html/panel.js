// What stands beside the drawing: search, filters, and what is said of what was clicked. Texts of the corpus get into the page by textContent only.

const LISTED = 40; // found components
const TOLD = 60; // edges listed of a component

class Panel {
  // changed(): filters are others; focus(node): draw around a component; node(node), edge(edge): tell of it.
  constructor(data, when) {
    Object.assign(this, { data, when });
    this.relations = new Set(data.relations.keys());
    this.slots = new Set(data.slots.keys());
    this.swatches = [];
    this.fill();
    element("panel").onsubmit = (event) => event.preventDefault();
    element("word").oninput = () => this.search();
    element("word").onkeydown = (event) => {
      if (event.key === "Enter") element("found").querySelector("button")?.click();
    };
    for (const id of ["least", "most"]) element(id).oninput = () => (this.tellSliders(), this.when.changed());
    element("all").onclick = () => this.setSlots(this.data.slots.keys());
    element("none").onclick = () => this.setSlots([]);
    this.tellSliders();
  }

  fill() {
    const { relations, slots, edges, nodes } = this.data;
    const count = (test) => edges.filter(test).length;
    relations.forEach((relation, n) => {
      const number = count((edge) => edge.relation === n);
      const line = draw("line", { x1: 0, y1: 5, x2: 22, y2: 5, "stroke-width": 3, "stroke-dasharray": relation.dash });
      if (number) element("relations").append(this.entry(relation, number, line, "22 11", this.relations, n, "entry"));
    });
    this.boxes = slots.map((slot, n) => {
      const item = this.entry(slot, nodes.filter((node) => node.slot === n).length, draw("circle", { cx: 5, cy: 5, r: 5 }), "11 11", this.slots, n, "entry slot");
      element("slots").append(item);
      return item.querySelector("input");
    });
  }

  // A line with a box that switches `n` in the set `on`.
  entry(thing, number, sign, size, on, n, className) {
    const box = make("input", { type: "checkbox", checked: true, id: `${className.endsWith("slot") ? "slot" : "relation"}${n}` });
    box.onchange = () => {
      if (box.checked) on.add(n);
      else on.delete(n);
      this.when.changed();
    };
    this.swatches.push([sign, thing.colour]);
    const label = make("label", { htmlFor: box.id, textContent: thing.title });
    const figure = make("span", { className: "number", textContent: number.toLocaleString("en") });
    return make("li", { className }, box, draw("svg", { viewBox: `0 0 ${size}`, "aria-hidden": "true" }, sign), label, figure);
  }

  setSlots(on) {
    this.slots = new Set(on);
    this.boxes.forEach((box, n) => {
      box.checked = this.slots.has(n);
      box.onchange = () => (box.checked ? this.slots.add(n) : this.slots.delete(n), this.when.changed());
    });
    this.when.changed();
  }

  paint(dark) {
    for (const [sign, colour] of this.swatches) sign.setAttribute(sign.tagName === "line" ? "stroke" : "fill", colour[dark ? 1 : 0]);
  }

  tellSliders() {
    element("sure").textContent = (+element("least").value).toFixed(2);
    element("limit").textContent = element("most").value;
  }

  // Whether an edge passes the filters.
  lets(edge) {
    const { nodes } = this.data;
    return edge.confidence >= +element("least").value && this.relations.has(edge.relation) && this.slots.has(nodes[edge.a].slot) && this.slots.has(nodes[edge.b].slot);
  }

  get most() {
    return +element("most").value;
  }

  search() {
    const words = folded(element("word").value).split(/\s+/).filter(Boolean);
    const list = element("found");
    list.replaceChildren();
    if (!words.length) return;
    const fits = (node) => {
      const text = folded(`${node.name} ${node.id}`);
      return words.every((word) => text.includes(word));
    };
    const rank = (node) => (folded(node.name).startsWith(words[0]) || node.id.startsWith(words[0]) ? 0 : 1);
    const found = this.data.nodes.filter(fits).sort((a, b) => rank(a) - rank(b) || b.edges.length - a.edges.length);
    for (const node of found.slice(0, LISTED)) {
      const button = make("button", { type: "button", dir: "auto", textContent: `${node.name} · ${this.data.slots[node.slot].title} · ${edgesOf(node.edges.length)}` });
      button.onclick = () => this.when.focus(node.number);
      list.append(make("li", {}, button));
    }
    if (!found.length) list.append(make("li", { className: "faded", textContent: "no component with an edge is called so" }));
  }

  tellFocus(node) {
    element("focus").hidden = node === null;
    element("around").textContent = node === null ? "" : this.data.nodes[node].name;
  }

  // What is known of a component, and its edges as buttons.
  tellNode(number) {
    const node = this.data.nodes[number];
    const around = make("button", { type: "button", textContent: "draw what surrounds it" });
    around.onclick = () => this.when.focus(number);
    const edges = node.edges.filter((edge) => this.lets(edge));
    const items = edges.slice(0, TOLD).map((edge) => {
      const button = make("button", { type: "button", dir: "auto", textContent: `${this.said(edge)} · ${edge.confidence.toFixed(2)}` });
      button.onclick = () => this.when.edge(edge);
      return make("li", {}, button);
    });
    const more = edges.length > TOLD ? [make("p", { className: "faded", textContent: `and ${edges.length - TOLD} more` })] : [];
    this.tell(
      make("h2", { dir: "auto", textContent: node.name }),
      make("p", { className: "faded", textContent: `${node.id} · ${this.data.slots[node.slot].title}` }),
      make("p", { dir: "auto", textContent: node.description }),
      make("p", { className: "row" }, around),
      make("h3", { textContent: edgesOf(edges.length) }),
      make("ul", { className: "edges" }, ...items),
      ...more,
    );
  }

  tellEdge(edge) {
    const ends = [edge.a, edge.b].map((end) => {
      const button = make("button", { type: "button", dir: "auto", textContent: this.data.nodes[end].name });
      button.onclick = () => this.when.node(end);
      return button;
    });
    const shown = edge.evidence.map((one) => this.evidence(one));
    const left = edge.pieces - edge.evidence.length;
    if (left > 0) shown.push(make("p", { className: "faded", textContent: `and ${left} more, which the command line shows` }));
    this.tell(
      make("h2", { dir: "auto", textContent: this.said(edge) }),
      make("p", { className: "faded", textContent: edge.told }),
      make("p", { className: "row" }, ...ends),
      ...shown,
    );
  }

  evidence({ supports, origin, text, source, address }) {
    const made = make("blockquote", { className: supports ? "evidence" : "evidence against", dir: "auto" });
    made.append(make("span", { textContent: text ?? "The passage is no longer what was read." }));
    const where = address && /^https?:\/\//.test(address)
      ? make("a", { href: address, rel: "noreferrer noopener", target: "_blank", textContent: source })
      : make("span", { textContent: source });
    made.append(make("cite", {}, `${supports ? "for" : "against"}, ${origin}: `, where));
    return made;
  }

  said(edge) {
    const { nodes, relations } = this.data;
    return `${nodes[edge.a].name} ${relations[edge.relation].title} ${nodes[edge.b].name}`;
  }

  tell(...parts) {
    element("detail").replaceChildren(...parts);
    element("detail").hidden = !parts.length;
    element("panel").scrollTop = 0;
  }
}

function edgesOf(number) {
  return `${number.toLocaleString("en")} edge${number === 1 ? "" : "s"}`;
}
