// The graph library that draw.io is built on: a draw.io file on standard input -> [{id, value, vertex, edge, parent, source, target, width}].
import { createRequire } from "node:module";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("<body></body>");
for (const name of ["window", "document", "DOMParser", "Element", "Node", "XMLSerializer", "HTMLElement"]) globalThis[name] = window[name] ?? window;
Object.defineProperty(globalThis, "navigator", { value: window.navigator, configurable: true });
const mx = createRequire(import.meta.url)("mxgraph")({ mxLoadResources: false, mxLoadStylesheets: false });
for (const name of Object.keys(mx)) globalThis[name] = window[name] = mx[name]; // its decoder looks classes up by name
let text = "";
for await (const part of process.stdin) text += part;
const file = new window.DOMParser().parseFromString(text, "text/xml");
const model = new mx.mxGraphModel();
new mx.mxCodec(file).decode(file.querySelector("mxGraphModel"), model);
const shown = Object.values(model.cells).map((cell) => ({
  id: cell.id,
  value: cell.value ?? null,
  vertex: Boolean(model.isVertex(cell)),
  edge: Boolean(model.isEdge(cell)),
  parent: cell.parent?.id ?? null,
  source: cell.source?.id ?? null,
  target: cell.target?.id ?? null,
  width: cell.geometry?.width ?? null,
}));
console.log(JSON.stringify(shown));
