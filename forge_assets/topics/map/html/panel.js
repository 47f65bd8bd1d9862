// What stands beside the map: years, legend, search. Texts of the corpus get into the page by textContent only.

const LISTED = 60; // found titles

class Panel {
  // changed(): filters are others; visit(entry): show the place of a topic or group; pick(point): show a work.
  constructor(meta, points, { changed, visit, pick }) {
    Object.assign(this, { meta, points, changed, visit, pick });
    this.on = new Uint8Array(meta.topics.length + 1).fill(1);
    this.hits = null;
    this.boxes = [];
    this.setYears();
    this.setLegend();
    element("all").onclick = () => this.switchAll(1);
    element("none").onclick = () => this.switchAll(0);
    element("panel").onsubmit = (event) => event.preventDefault();
  }

  setYears() {
    let first = Infinity;
    let last = 0;
    for (const year of this.points.year) {
      if (year && year < first) first = year;
      if (year > last) last = year;
    }
    this.span = last ? [first, last] : [0, 0];
    for (const id of ["from", "to"]) {
      const slider = element(id);
      [slider.min, slider.max] = this.span;
      slider.value = id === "from" ? this.span[0] : this.span[1];
      slider.oninput = () => this.yearsChanged(id);
    }
    this.yearsChanged(null);
  }

  yearsChanged(moved) {
    const [from, to] = [element("from"), element("to")];
    if (+from.value > +to.value) (moved === "from" ? to : from).value = (moved === "from" ? from : to).value;
    this.years = [+from.value, +to.value];
    element("years").textContent = this.span[1] ? `${this.years[0]} to ${this.years[1]}` : "none known";
    if (moved) this.changed();
  }

  setLegend() {
    const legend = element("legend");
    const { groups, topics } = this.meta;
    const rest = topics.map((_, n) => n).filter((n) => topics[n].group < 0);
    groups.forEach((group, g) => {
      const own = topics.map((_, n) => n).filter((n) => topics[n].group === g);
      const details = make("details", {}, make("summary", {}, this.row(group, own)), make("ul", {}, ...own.map((n) => this.item(n))));
      legend.append(make("li", {}, details));
    });
    legend.append(...rest.map((n) => this.item(n)));
    if (this.meta.waiting.works) legend.append(make("li", {}, this.row(this.meta.waiting, [topics.length])));
  }

  item(n) {
    return make("li", {}, this.row(this.meta.topics[n], [n]));
  }

  // A line of the legend; `own`: the topics it switches.
  row(entry, own) {
    const box = make("input", { type: "checkbox", checked: true, title: "show or hide" });
    box.setAttribute("aria-label", `show ${entry.label}`);
    box.onchange = () => this.switchThese(own, box.checked ? 1 : 0);
    this.boxes.push([box, own]);
    const name = make("button", { type: "button", className: "name", dir: "auto", title: "go there", textContent: entry.label });
    name.onclick = (event) => (event.preventDefault(), this.visit(entry));
    const only = make("button", { type: "button", className: "only", textContent: "only" });
    only.setAttribute("aria-label", `only ${entry.label}`);
    only.onclick = (event) => (event.preventDefault(), this.on.fill(0), this.switchThese(own, 1));
    const works = make("span", { className: "works", textContent: entry.works.toLocaleString("en") });
    return make("span", { className: "entry" }, box, swatch(entry), name, works, only);
  }

  switchAll(on) {
    this.switchThese([...this.on.keys()], on);
  }

  switchThese(topics, on) {
    for (const topic of topics) this.on[topic] = on;
    for (const [box, own] of this.boxes) {
      const lit = own.filter((topic) => this.on[topic]).length;
      box.checked = lit > 0;
      box.indeterminate = lit > 0 && lit < own.length;
    }
    this.changed();
  }

  // The state of each point under the filters; returns how many are shown, or found where something is sought.
  fill(state) {
    const { topic, year, number, n } = this.points;
    const [from, to] = this.years;
    const whole = from <= this.span[0] && to >= this.span[1]; // then works without a year are shown too
    let count = 0;
    for (let i = 0; i < n; i++) {
      const lit = this.on[topic[i]] && (whole || (year[i] >= from && year[i] <= to));
      state[i] = !lit ? HIDDEN : !this.hits ? SHOWN : this.hits[number[i]] ? HIT : FAINT;
      count += state[i] === SHOWN || state[i] === HIT;
    }
    return count;
  }

  tell(count) {
    const all = this.points.n.toLocaleString("en");
    element("count").textContent = `${count.toLocaleString("en")} of ${all} works ${this.hits ? "found" : "shown"}`;
  }

  acceptTitles(titles) {
    const word = element("word");
    word.placeholder = "e.g. distillation";
    word.disabled = false;
    let timer = 0;
    word.oninput = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        this.hits = titles.matching(word.value);
        this.changed();
      }, 150);
    };
  }

  list(state, titles) {
    const found = element("found");
    found.replaceChildren();
    if (!this.hits) return;
    const best = [];
    for (let i = 0; i < state.length; i++) if (state[i] === HIT) best.push(i);
    best.sort((a, b) => this.points.year[b] - this.points.year[a] || this.points.number[a] - this.points.number[b]);
    for (const point of best.slice(0, LISTED)) {
      const button = make("button", { type: "button", dir: "auto", textContent: titles.of(this.points.number[point]) || UNTITLED });
      button.onclick = () => this.pick(point);
      found.append(make("li", {}, button));
    }
  }
}

function element(id) {
  return document.getElementById(id);
}

function make(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// A dot in the entry's colour; it is repainted when the theme changes.
function swatch(entry) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  made.setAttribute("viewBox", "0 0 2 2");
  made.setAttribute("aria-hidden", "true");
  for (const name of ["cx", "cy", "r"]) dot.setAttribute(name, "1");
  dot.entry = entry;
  made.append(dot);
  return made;
}
