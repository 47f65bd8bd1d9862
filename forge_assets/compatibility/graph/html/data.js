// Reads what stands in the page: components, slots, relations, edges and their evidence.

async function readContent() {
  const bytes = Uint8Array.from(atob(element("content").textContent), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const raw = JSON.parse(await new Response(stream).text());
  const slots = raw.slots.map(([title, light, dark]) => ({ title, colour: [light, dark] }));
  const relations = raw.relations.map(([title, light, dark, dash, both]) => ({ title, colour: [light, dark], dash, both }));
  const nodes = raw.nodes.map(([id, name, slot, description], number) => ({ number, id, name, slot, description, edges: [] }));
  const edges = raw.edges.map(([a, b, relation, confidence, told, evidence, pieces], number) => ({
    number, a, b, relation, confidence, told, pieces,
    evidence: evidence.map(([supports, origin, text, source, address]) => ({ supports: supports === 1, origin, text, source, address })),
  }));
  for (const edge of edges) for (const end of [edge.a, edge.b]) nodes[end].edges.push(edge);
  return { slots, relations, nodes, edges };
}

function element(id) {
  return document.getElementById(id);
}

function make(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function draw(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// The words of a name in small letters, without accents.
function folded(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
