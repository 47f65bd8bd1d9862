// Places for nodes. What hangs together is laid out by springs along its edges, every pair pushed apart; these islands are then packed in
// rows, the largest first. The same graph always gets the same places.

const LONG = 110; // wished length of an edge in a small island; it grows with the island
const PUSH = 5200; // and so does what pushes two nodes apart
const WIDE = 1.7; // labels need more room beside a node than above it
const MARGIN = [74, 34]; // room for labels around an island
const RATIO = 1.5; // width of the whole to its height

function layout(count, edges) {
  const [x, y] = [new Float64Array(count), new Float64Array(count)];
  const found = islands(count, edges).map((nodes) => {
    const place = new Map(nodes.map((node, n) => [node, n]));
    const own = edges.filter(([a]) => place.has(a)).map(([a, b]) => [place.get(a), place.get(b)]);
    return boxed(nodes, springs(nodes.length, own));
  });
  found.sort((a, b) => b.nodes.length - a.nodes.length || b.height - a.height || a.nodes[0] - b.nodes[0]);
  const area = found.reduce((sum, { width, height }) => sum + width * height, 0);
  const row = Math.max(Math.sqrt(area * RATIO), ...found.map(({ width }) => width));
  let [left, top, high] = [0, 0, 0];
  for (const { nodes, at, width, height } of found) {
    if (left && left + width > row) [left, top, high] = [0, top + high, 0];
    nodes.forEach((node, n) => ([x[node], y[node]] = [left + at.x[n], top + at.y[n]]));
    [left, high] = [left + width, Math.max(high, height)];
  }
  return { x, y };
}

// Sets of nodes that hang together.
function islands(count, edges) {
  const near = Array.from({ length: count }, () => []);
  for (const [a, b] of edges) (near[a].push(b), near[b].push(a));
  const seen = new Uint8Array(count);
  const found = [];
  for (let first = 0; first < count; first++) {
    if (seen[first]) continue;
    const nodes = [first];
    seen[first] = 1;
    for (const node of nodes) for (const next of near[node]) if (!seen[next]) (seen[next] = 1), nodes.push(next);
    found.push(nodes);
  }
  return found;
}

function boxed(nodes, { x, y }) {
  const [left, top] = [Math.min(...x) - MARGIN[0], Math.min(...y) - MARGIN[1]];
  const [width, height] = [Math.max(...x) + MARGIN[0] - left, Math.max(...y) + MARGIN[1] - top];
  return { nodes, at: { x: x.map((value) => value - left), y: y.map((value) => value - top) }, width, height };
}

function springs(count, edges) {
  const [x, y] = [new Float64Array(count), new Float64Array(count)];
  for (let n = 0; n < count; n++) {
    const radius = 40 * Math.sqrt(n + 0.2);
    [x[n], y[n]] = [radius * Math.cos(n * 2.399963), radius * Math.sin(n * 2.399963)]; // golden angle
  }
  const rounds = count > 200 ? 150 : 300;
  const [dx, dy] = [new Float64Array(count), new Float64Array(count)];
  const [long, force] = [LONG * (1 + count / 200), PUSH * (1 + count / 40)];
  for (let round = 0; round < rounds; round++) {
    dx.fill(0);
    dy.fill(0);
    push(x, y, dx, dy, force);
    for (const [a, b] of edges) pull(x, y, dx, dy, a, b, long);
    const step = 30 * (1 - round / rounds) + 1;
    for (let n = 0; n < count; n++) {
      dx[n] -= x[n] * 0.008;
      dy[n] -= y[n] * 0.014;
      const length = Math.hypot(dx[n], dy[n]) || 1;
      const move = Math.min(step, length) / length;
      [x[n], y[n]] = [x[n] + dx[n] * move, y[n] + dy[n] * move];
    }
  }
  return { x, y };
}

function push(x, y, dx, dy, strength) {
  for (let a = 0; a < x.length; a++) {
    for (let b = a + 1; b < x.length; b++) {
      const [right, down] = [(x[a] - x[b]) / WIDE || 0.01 * (a - b), y[a] - y[b] || 0.01];
      const square = right * right + down * down;
      if (square > 250000) continue;
      const length = Math.sqrt(square) || 1;
      const force = Math.min(60, strength / square) / length;
      dx[a] += right * force * WIDE;
      dx[b] -= right * force * WIDE;
      dy[a] += down * force;
      dy[b] -= down * force;
    }
  }
}

function pull(x, y, dx, dy, a, b, long) {
  const [right, down] = [x[b] - x[a], y[b] - y[a]];
  const length = Math.hypot(right, down) || 1;
  const force = ((length - long) / length) * 0.12;
  dx[a] += right * force;
  dy[a] += down * force;
  dx[b] -= right * force;
  dy[b] -= down * force;
}
