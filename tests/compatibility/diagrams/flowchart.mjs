// Mermaid's own parser: a flowchart on standard input -> {nodes: {id: label}, links: [[from, to, label, type, stroke]], groups: {id: [title, nodes]}}.
import { JSDOM } from "jsdom";

const { window } = new JSDOM("");
globalThis.window = window;
globalThis.document = window.document;
globalThis.Element = window.Element;
const { default: mermaid } = await import("mermaid");
let text = "";
for await (const part of process.stdin) text += part;
await mermaid.parse(text); // registers the kinds of diagrams
const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
console.log(
  JSON.stringify({
    nodes: Object.fromEntries([...db.getVertices()].map(([id, vertex]) => [id, vertex.text])),
    links: db.getEdges().map(({ start, end, text, type, stroke }) => [start, end, text, type, stroke]),
    groups: Object.fromEntries(db.getSubGraphs().map(({ id, title, nodes }) => [id, [title, nodes]])),
  }),
);
