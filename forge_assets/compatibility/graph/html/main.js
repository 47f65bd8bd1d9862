// Puts the parts together: what is drawn under the filters, what a click tells, keys and theme.

class Page {
  constructor(data) {
    this.data = data;
    this.center = null;
    this.panel = new Panel(data, {
      changed: () => this.show(),
      focus: (node) => this.focus(node),
      node: (node) => this.node(node),
      edge: (edge) => this.edge(edge),
    });
    this.view = new View(element("graph"), data, { node: (node) => this.node(node), edge: (edge) => this.edge(edge) });
    element("leave").onclick = () => this.focus(null);
    element("nearer").onclick = () => this.view.zoom(1 / 1.4);
    element("farther").onclick = () => this.view.zoom(1.4);
    element("whole").onclick = () => this.view.fit();
    element("theme").onclick = () => this.turn();
    document.addEventListener("keydown", (event) => this.key(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
    this.view.dark = this.dark();
    this.panel.paint(this.view.dark);
    this.show();
  }

  // The surest edges under the filters; around a component its own first, then those among its neighbours.
  chosen() {
    const { edges, nodes } = this.data;
    if (this.center === null) return edges.filter((edge) => this.panel.lets(edge)).slice(0, this.panel.most);
    const own = nodes[this.center].edges.filter((edge) => this.panel.lets(edge)).slice(0, this.panel.most);
    const near = new Set(own.flatMap((edge) => [edge.a, edge.b]));
    const among = edges.filter((edge) => near.has(edge.a) && near.has(edge.b) && edge.a !== this.center && edge.b !== this.center && this.panel.lets(edge));
    return [...own, ...among].slice(0, this.panel.most);
  }

  show() {
    const edges = this.chosen();
    this.view.show(edges, this.center);
    this.panel.tellFocus(this.center);
    const all = this.data.edges.filter((edge) => this.panel.lets(edge)).length;
    const [shown, nodes] = [edges.length.toLocaleString("en"), this.view.nodes.length.toLocaleString("en")];
    element("count").textContent = `${shown} of ${edgesOf(all)} drawn, ${nodes} of ${this.data.nodes.length.toLocaleString("en")} components`;
    document.documentElement.dataset.drawn = String(+(document.documentElement.dataset.drawn ?? 0) + 1);
  }

  focus(node) {
    this.center = node;
    this.show();
    if (node === null) this.let();
    else this.node(node);
  }

  node(node) {
    this.panel.tellNode(node);
    const edges = this.data.nodes[node].edges;
    const drawn = this.center === node ? [] : edges.filter((edge) => this.view.edgeParts.has(edge.number));
    this.view.mark(new Set(drawn.flatMap((edge) => [edge.a, edge.b])), new Set(drawn.map((edge) => edge.number)));
  }

  edge(edge) {
    this.panel.tellEdge(edge);
    this.view.mark(new Set([edge.a, edge.b]), new Set([edge.number]));
  }

  let() {
    this.panel.tell();
    this.view.mark(new Set(), new Set());
  }

  key(event) {
    if (event.key === "Escape") {
      if (element("detail").hidden && this.center !== null) this.focus(null);
      else this.let();
    }
    if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey) return;
    if (event.key === "+") this.view.zoom(1 / 1.4);
    if (event.key === "-") this.view.zoom(1.4);
    if (event.key === "0") this.view.fit();
  }

  dark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  turn() {
    document.documentElement.dataset.theme = this.dark() ? "light" : "dark";
    this.paint();
  }

  paint() {
    this.view.dark = this.dark();
    this.panel.paint(this.view.dark);
    this.view.paint();
    this.let();
  }
}

readContent().then(
  (data) => {
    new Page(data);
    document.documentElement.dataset.ready = "yes";
  },
  (error) => {
    element("problem").textContent = `The graph in this file cannot be read: ${error.message}. Make it again by forge graph html.`;
    element("problem").hidden = false;
  },
);
