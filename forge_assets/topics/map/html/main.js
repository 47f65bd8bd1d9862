// Puts the parts together: reads, draws when something changed, answers pointer and keys.

const UNTITLED = "untitled";
const TOUCH = 12; // CSS pixels from a pointer to the work it means
const STEP = 70; // CSS pixels an arrow key moves
const STEP_ZOOM = 1.5;

class Map2D {
  constructor(meta, points) {
    this.meta = meta;
    this.points = points;
    this.titles = null;
    this.view = new View(element("points"), points);
    this.labels = new Labels(element("labels"), this.view, meta);
    this.pinned = this.marked = -1;
    this.byKeys = false;
    this.panel = new Panel(meta, points, {
      changed: () => this.filter(),
      visit: (entry) => entry.at && (this.view.show(...entry.at, entry.group === undefined ? 2.5 : 6), this.later()),
      pick: (point) => this.pick(point, 12),
    });
    this.listen();
    this.paint();
    this.filter();
  }

  // Colours of the theme in force.
  paint() {
    const chosen = document.documentElement.dataset.theme;
    const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    const of = (entry) => entry.colour[dark ? 1 : 0];
    this.colours = Uint32Array.from([...this.meta.topics, this.meta.waiting].map((entry) => pixel(of(entry))));
    for (const dot of document.querySelectorAll("#legend circle")) dot.setAttribute("fill", of(dot.entry));
    const style = getComputedStyle(document.documentElement);
    [this.back, this.ink, this.line] = ["--back", "--ink", "--line"].map((name) => style.getPropertyValue(name).trim());
    this.dark = dark;
    this.later();
  }

  filter() {
    this.panel.tell(this.panel.fill(this.view.state));
    this.panel.list(this.view.state, this.titles);
    if (this.pinned >= 0 && this.view.state[this.pinned] === HIDDEN) this.mark(-1, true);
    this.later();
  }

  later() {
    if (!this.waiting) this.waiting = requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.waiting = 0;
    this.view.draw(this.colours, pixel(this.line), pixel(this.back));
    const on = (entry) => entry.own.some((topic) => this.panel.on[topic]);
    this.labels.draw(this.ink, this.back, on, this.marked, this.byKeys);
    this.placeTip();
    const root = document.documentElement;
    root.dataset.drawn ??= String(Math.round(performance.now()));
  }

  // Marks a point; a pinned one stays marked until another is pinned or Escape.
  mark(point, pin = false) {
    if (pin) this.pinned = point;
    this.marked = point >= 0 ? point : this.pinned;
    const tip = element("tip");
    tip.hidden = this.marked < 0;
    if (this.marked >= 0) {
      const { topic, year, number } = this.points;
      const entry = this.meta.topics[topic[this.marked]] ?? this.meta.waiting;
      const title = this.titles ? this.titles.of(number[this.marked]) || UNTITLED : "reading titles …";
      tip.firstElementChild.textContent = title;
      tip.lastElementChild.textContent = [entry.label, year[this.marked] || null].filter(Boolean).join(" · ");
    }
    this.later();
  }

  placeTip() {
    const tip = element("tip");
    if (tip.hidden) return;
    const { view, points } = this;
    const [x, y] = view.toScreen(points.x[this.marked], points.y[this.marked]).map((part) => part / view.ratio);
    const [width, height] = [view.width / view.ratio, view.height / view.ratio];
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(width - box.width - 4, x + 14))}px`;
    tip.style.top = `${Math.max(4, y + 14 + box.height > height ? y - 14 - box.height : y + 14)}px`;
  }

  pick(point, zoom) {
    this.view.show(this.points.x[point], this.points.y[point], zoom);
    this.mark(point, true);
    this.say();
  }

  say() {
    element("said").textContent = this.marked < 0 ? "no work here" : [...element("tip").children].map((p) => p.textContent).join(", ");
  }

  listen() {
    const canvas = element("labels");
    const held = new Map();
    const place = (event) => [event.offsetX * this.view.ratio, event.offsetY * this.view.ratio];
    let moved = 0;
    canvas.onpointerdown = (event) => {
      canvas.setPointerCapture(event.pointerId);
      held.set(event.pointerId, place(event));
      moved = 0;
      this.byKeys = false;
    };
    canvas.onpointermove = (event) => {
      const now = place(event);
      this.byKeys = false;
      const before = held.get(event.pointerId);
      if (!before) return this.mark(this.view.nearest(...now, TOUCH * this.view.ratio));
      moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
      if (moved > 4 * this.view.ratio) canvas.classList.add("dragged");
      if (held.size === 2) {
        const other = [...held].find(([id]) => id !== event.pointerId)[1];
        const span = (at) => Math.hypot(at[0] - other[0], at[1] - other[1]) || 1;
        this.view.zoomAt(span(now) / span(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      } else this.view.move(before[0] - now[0], before[1] - now[1]);
      held.set(event.pointerId, now);
      this.later();
    };
    canvas.onpointerup = canvas.onpointercancel = (event) => {
      held.delete(event.pointerId);
      canvas.classList.remove("dragged");
      if (event.type === "pointerup" && moved <= 4 * this.view.ratio) this.mark(this.view.nearest(...place(event), TOUCH * this.view.ratio), true);
    };
    canvas.onpointerleave = () => this.mark(-1);
    canvas.onblur = () => ((this.byKeys = false), this.later());
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      this.view.zoomAt(Math.exp(-event.deltaY * lines * 0.002), ...place(event));
      this.later();
    }, { passive: false });
    canvas.onkeydown = (event) => this.key(event);
    new ResizeObserver(() => (this.view.resize(), this.later())).observe(element("view"));
    matchMedia("(prefers-color-scheme: dark)").onchange = () => this.paint();
    element("nearer").onclick = () => (this.view.zoomAt(STEP_ZOOM), this.later());
    element("farther").onclick = () => (this.view.zoomAt(1 / STEP_ZOOM), this.later());
    element("whole").onclick = () => (this.view.reset(), this.later());
    element("theme").onclick = () => ((document.documentElement.dataset.theme = this.dark ? "light" : "dark"), this.paint());
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEP * this.view.ratio;
    const keys = {
      ArrowLeft: () => this.view.move(-step, 0),
      ArrowRight: () => this.view.move(step, 0),
      ArrowUp: () => this.view.move(0, -step),
      ArrowDown: () => this.view.move(0, step),
      "+": () => this.view.zoomAt(STEP_ZOOM),
      "=": () => this.view.zoomAt(STEP_ZOOM),
      "-": () => this.view.zoomAt(1 / STEP_ZOOM),
      0: () => this.view.reset(),
      Enter: () => {},
      Escape: () => this.mark(-1, true),
    };
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
    this.byKeys = true;
    if (event.key !== "Escape") this.mark(this.view.nearest(this.view.width / 2, this.view.height / 2, 4 * TOUCH * this.view.ratio));
    if (event.key === "Enter") {
      this.mark(this.marked, true);
      this.say();
    }
    this.later();
  }
}

// Entries of the file -> objects; `own`: the topics an entry stands for.
function entries(meta) {
  const entry = ([label, short, works, light, dark, at, group]) => ({ label, short, works, colour: [light, dark], at, group });
  meta.topics = meta.topics.map(entry);
  meta.topics.forEach((topic, n) => (topic.own = [n]));
  meta.groups = meta.groups.map(entry);
  meta.groups.forEach((group, g) => (group.own = meta.topics.map((_, n) => n).filter((n) => meta.topics[n].group === g)));
  meta.waiting = { ...entry(meta.waiting), own: [meta.topics.length] };
  return meta;
}

async function start() {
  const meta = entries(await readMeta());
  const map = new Map2D(meta, await readPoints(meta));
  await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
  map.titles = await readTitles(meta.works);
  map.panel.acceptTitles(map.titles);
  if (map.marked >= 0) map.mark(map.marked);
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

start().catch((error) => {
  const problem = element("problem");
  problem.textContent = `This map cannot be shown: ${error.message}. It needs a browser of 2023 or newer.`;
  problem.hidden = false;
});
