// Theme, search and citations. Text of pages goes through textContent or clones of nodes that the page holds; no markup is made of strings.
const root = document.documentElement;

function dark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

document.getElementById("theme").addEventListener("click", () => {
  root.dataset.theme = dark() ? "light" : "dark";
  try { localStorage.setItem("forge-theme", root.dataset.theme); } catch { /* kept for this page only */ }
});

// The list of pages stands open where there is room for it.
const side = document.querySelector(".side details");
if (side && matchMedia("(min-width: 60rem)").matches) side.open = true;
document.querySelector(".side [aria-current]")?.scrollIntoView({ block: "center" });
scrollTo(0, location.hash ? scrollY : 0);

// Citations: the quote and its source beside the mark, for a pointer that rests and for the keyboard.
let card = null, hiding = 0;
function hide() { card?.remove(); card = null; }
function show(mark) {
  clearTimeout(hiding);
  hide();
  const source = document.querySelector(mark.getAttribute("href"));
  if (!source) return;
  card = document.createElement("aside");
  card.className = "card";
  card.setAttribute("aria-hidden", "true"); // the same stands in the list of sources, which the mark leads to
  for (const child of source.childNodes) {
    const copy = child.cloneNode(true);
    for (const one of copy.querySelectorAll?.(".back") ?? []) one.remove();
    for (const one of copy.querySelectorAll?.("a") ?? []) one.tabIndex = -1;
    card.append(copy);
  }
  card.addEventListener("pointerenter", () => clearTimeout(hiding));
  card.addEventListener("pointerleave", later);
  document.body.append(card);
  const at = mark.getBoundingClientRect(), size = card.getBoundingClientRect();
  const above = at.bottom + size.height + 12 > innerHeight && at.top > size.height + 12;
  card.style.left = `${Math.max(8, Math.min(at.left - 24, root.clientWidth - size.width - 8)) + scrollX}px`;
  card.style.top = `${(above ? at.top - size.height - 6 : at.bottom + 6) + scrollY}px`;
}
function later() { clearTimeout(hiding); hiding = setTimeout(hide, 180); }
for (const mark of document.querySelectorAll(".mark")) {
  mark.addEventListener("pointerenter", (event) => { if (event.pointerType !== "touch") show(mark); });
  mark.addEventListener("pointerleave", later);
  mark.addEventListener("focus", () => { if (mark.matches(":focus-visible")) show(mark); });
  mark.addEventListener("blur", later);
}
addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

// Which section is read.
const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
if (links.size && "IntersectionObserver" in window) {
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) {
      for (const link of links.values()) link.classList.remove("here");
      links.get(entry.target.id)?.classList.add("here");
    }
  }, { rootMargin: "-10% 0px -75% 0px" });
  for (const id of links.keys()) { const heading = document.getElementById(id); if (heading) seen.observe(heading); }
}

// Search: Pagefind's index of this volume, or of all volumes on the first page.
const query = document.getElementById("query"), results = document.getElementById("results"), state = document.getElementById("search-state");
let engine = null, asked = 0;
async function load() {
  const volumes = root.dataset.volume ? [] : JSON.parse(document.getElementById("content").dataset.volumes ?? "[]");
  const first = root.dataset.volume ? "./pagefind/" : `./${volumes[0]}/pagefind/`;
  const found = await import(new URL(`${first}pagefind.js`, location.href).href);
  await found.options({ baseUrl: new URL(root.dataset.volume ? "./" : `./${volumes[0]}/`, location.href).pathname });
  await found.init();
  for (const volume of volumes.slice(1)) {
    await found.mergeIndex(new URL(`./${volume}/pagefind`, location.href).href, { baseUrl: new URL(`./${volume}/`, location.href).pathname });
  }
  return found;
}
function told(text) { state.textContent = text; }
function close() { results.hidden = true; query.setAttribute("aria-expanded", "false"); query.removeAttribute("aria-activedescendant"); }
function line(text) {
  const made = document.createElement("p");
  made.className = "none";
  made.textContent = text;
  results.replaceChildren(made);
  results.hidden = false;
  told(text);
}
// Pagefind marks what matched by <mark> in an excerpt that is escaped otherwise; it is taken apart as text.
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&#x27;": "'", "&amp;": "&" };
function excerpt(text) {
  const made = document.createElement("span");
  made.className = "excerpt";
  for (const [index, part] of text.split(/<\/?mark>/).entries()) {
    const node = document.createElement(index % 2 ? "mark" : "span");
    node.textContent = part.replace(/&(?:lt|gt|quot|#39|#x27|amp);/g, (entity) => ENTITIES[entity]);
    made.append(node);
  }
  return made;
}
async function search() {
  const words = query.value.trim(), turn = ++asked;
  if (!words) { close(); told(""); return; }
  try {
    engine ??= load();
    const found = await (await engine).search(words);
    const hits = await Promise.all(found.results.slice(0, 12).map((one) => one.data()));
    if (turn !== asked) return;
    if (!hits.length) { line("Nothing found."); return; }
    results.replaceChildren(...hits.map((hit, index) => {
      const link = document.createElement("a"), title = document.createElement("strong");
      link.href = hit.url;
      link.id = `hit${index}`;
      link.setAttribute("role", "option");
      link.tabIndex = -1;
      title.textContent = hit.meta.title;
      link.append(title, excerpt(hit.excerpt));
      return link;
    }));
    results.hidden = false;
    query.setAttribute("aria-expanded", "true");
    told(`${found.results.length} found`);
  } catch (reason) {
    engine = null;
    line(location.protocol === "file:" ? "A browser does not search files that it opens from a disk; `forge docs serve` shows this site with its search." : "The search index cannot be read.");
  }
}
let typing = 0;
query.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(search, 120); });
query.addEventListener("keydown", (event) => {
  const hits = [...results.querySelectorAll("a")];
  const at = hits.findIndex((hit) => hit.classList.contains("chosen"));
  if (event.key === "Escape") { close(); return; }
  if (event.key === "Enter" && hits.length && !results.hidden) { (hits[at] ?? hits[0]).click(); return; }
  if ((event.key !== "ArrowDown" && event.key !== "ArrowUp") || !hits.length) return;
  event.preventDefault();
  const next = hits[(at + (event.key === "ArrowDown" ? 1 : -1) + hits.length) % hits.length];
  hits[at]?.classList.remove("chosen");
  next.classList.add("chosen");
  next.scrollIntoView({ block: "nearest" });
  query.setAttribute("aria-activedescendant", next.id);
});
addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest?.("input, textarea, [contenteditable]")) { event.preventDefault(); query.focus(); }
});
addEventListener("pointerdown", (event) => { if (!event.target.closest?.(".search")) close(); });
root.dataset.ready = "";
