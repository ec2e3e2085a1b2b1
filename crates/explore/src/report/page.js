"use strict";
// One table of rows; the chart shows what the filter leaves of it.
const data = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);
// Okabe and Ito: distinct to colour-blind readers, on light and dark pages.
const colours = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7"];
// Together with the colours 30 groups are told apart: marks in the legend, and their corners in units of the radius; a disc has none.
const glyphs = ["●", "■", "▲", "◆", "▼"];
const shapes = [[], [[-1, -1], [1, -1], [1, 1], [-1, 1]], [[0, -1.2], [1.2, 0.9], [-1.2, 0.9]], [[0, -1.4], [1.4, 0], [0, 1.4], [-1.4, 0]], [[0, 1.2], [1.2, -0.9], [-1.2, -0.9]]];
const place = (name) => data.columns.indexOf(name);
// Shares of images are in percent wherever the page shows or compares them; twelve digits hide what the product adds to the last.
const isShare = (name) => /^(software_)?accuracy/.test(name);
data.columns.forEach((name, column) => {
  if (!isShare(name)) return;
  data.rows.forEach(({ values }) => { if (typeof values[column] === "number") values[column] = Number((100 * values[column]).toPrecision(12)); });
});
const isNumber = data.columns.map((_, column) => data.rows.every((row) => typeof row.values[column] === "number" || row.values[column] === null));
const metrics = data.columns.filter((name, column) => isNumber[column] && data.metrics.includes(name));
const state = { shown: data.rows.map((_, index) => index), sort: null, down: false, chosen: null, order: [], chart: null };

const short = (value) => typeof value !== "number" ? value ?? ""
  : Number.isInteger(value) ? String(value) : value.toPrecision(4).replace(/\.?0+(e|$)/, "$1");

// Words must occur in a row, whatever their case; COLUMN<VALUE and the like must hold, and hold of no cell that is empty. Null is a condition that says nothing.
function condition(word) {
  const unquoted = (text) => text.replace(/^"([^"]*)"$/, "$1");
  const parts = word.match(/^([^<>=!"]*)(<=|>=|!=|=|<|>)(.*)$/);
  if (!parts) return (row) => row.values.some((value) => String(value ?? "").toLowerCase().includes(unquoted(word).toLowerCase()));
  const [name, operator, text] = [parts[1], parts[2], unquoted(parts[3])];
  const column = place(name);
  if (column < 0 || text === "") return null;
  const number = Number(text);
  const compared = isNumber[column] && !Number.isNaN(number) ? number : text;
  const holds = { "<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b,
    "=": (a, b) => a === b, "!=": (a, b) => a !== b }[operator];
  return ({ values }) => values[column] !== null && holds(typeof compared === "number" ? values[column] : String(values[column]), compared);
}

function filter() {
  // Blanks around an operator are none.
  const text = element("filter").value.replace(/\s*(<=|>=|!=|=|<|>)\s*/g, "$1");
  const words = text.match(/(?:[^\s<>=!"]+(?:<=|>=|!=|=|<|>))?(?:"[^"]*"|\S+)/g) ?? [];
  const conditions = words.map(condition);
  element("filter").classList.toggle("bad", conditions.includes(null));
  const all = conditions.filter(Boolean);
  state.shown = data.rows.map((_, index) => index).filter((index) => all.every((holds) => holds(data.rows[index])));
  draw();
}

// 1 where less is better, -1 where more is, 0 where neither is.
function direction(name) {
  if (/^(energy|latency|area|wire_error)|_sd$/.test(name)) return 1;
  return /^(accuracy|software_accuracy|throughput|tops)/.test(name) ? -1 : 0;
}

// What no other row beats; nothing where one of the two has no better end.
function front(x, y) {
  if (direction(x) * direction(y) === 0) return new Set();
  const value = (index, name) => direction(name) * data.rows[index].values[place(name)];
  const order = [...state.shown].filter((index) => [x, y].every((name) => typeof data.rows[index].values[place(name)] === "number"));
  order.sort((a, b) => value(a, x) - value(b, x) || value(a, y) - value(b, y) || a - b);
  let best = Infinity;
  return new Set(order.filter((index) => { const better = value(index, y) < best; best = Math.min(best, value(index, y)); return better; }));
}

function drawTable(onFront) {
  const head = document.createElement("tr");
  data.columns.forEach((name, column) => {
    const [cell, button] = [document.createElement("th"), document.createElement("button")];
    button.textContent = (isShare(name) ? named(name) : name) + (state.sort === column ? (state.down ? " ▾" : " ▴") : "");
    button.onclick = () => {
      state.down = state.sort === column && !state.down;
      state.sort = column;
      draw();
      document.querySelectorAll("#head button")[column].focus();
    };
    cell.ariaSort = state.sort !== column ? "none" : state.down ? "descending" : "ascending";
    cell.append(button);
    head.append(cell);
  });
  element("head").replaceChildren(head);
  const order = [...state.shown];
  if (state.sort !== null) {
    const key = (index) => data.rows[index].values[state.sort];
    order.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a - b) * (state.down ? -1 : 1));
  }
  element("body").replaceChildren(...order.map((index) => {
    const line = document.createElement("tr");
    line.dataset.row = index;
    line.classList.toggle("front", onFront.has(index));
    line.classList.toggle("chosen", state.chosen === index);
    line.append(...data.rows[index].values.map((value) => {
      const cell = document.createElement("td");
      cell.textContent = short(value);
      cell.title = String(value ?? "");
      return cell;
    }));
    line.tabIndex = 0;
    line.onclick = () => choose(index);
    line.onkeydown = (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(index); }
    };
    return line;
  }));
  element("count").textContent = `${state.shown.length} of ${data.rows.length} rows, ${onFront.size} on the front`;
}

function drawChart(x, y, onFront) {
  const value = (index, name) => data.rows[index].values[place(name)];
  const order = state.shown.filter((index) => [x, y].every((name) => typeof value(index, name) === "number"));
  order.sort((a, b) => value(a, x) - value(b, x) || a - b);
  state.order = order;
  const group = (index) => `${value(index, "mapping")}, ${value(index, "training")}`;
  const groups = [...new Set(data.rows.map((_, index) => group(index)))];
  const points = (name, number) => ({ label: `${glyphs[number % glyphs.length]} ${name}`, stroke: colours[number % colours.length], paths: () => null, points: { show: marks(number) } });
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--lesser").trim();
  const grid = { stroke: getComputedStyle(document.documentElement).getPropertyValue("--line").trim() };
  const line = { label: "not beaten", stroke: ink, width: 2, spanGaps: true, points: { show: false }, 
    // A point is as good for all x that are worse than its own: to the right of it where less is better, else to the left.
    paths: uPlot.paths.stepped({ align: direction(x) < 0 ? -1 : 1 }) };
  // The order is that of x, so that the first value is the least.
  const ends = [order[0], order[order.length - 1]].map((index) => index === undefined ? 0 : value(index, x));
  const decades = ends[0] > 0 && ends[1] > 30 * ends[0];
  const options = {
    width: Math.max(480, Math.min(document.body.clientWidth, 1100)), height: 420,
    scales: { x: { time: false, distr: decades ? 3 : 1 } },
    axes: [{ label: named(x), stroke: ink, grid, values: (_, ticks) => ticks.map((tick) => tick === null ? "" : short(tick)) }, { label: named(y), stroke: ink, grid, size: 70 }],
    series: [{ label: x, value: (_, number) => short(number) }, line, ...groups.map(points)],
    hooks: { setCursor: [(chart) => hover(nearest(chart))] },
  };
  const series = groups.map((name) => order.map((index) => group(index) === name ? value(index, y) : null));
  const unbeaten = order.map((index) => onFront.has(index) ? value(index, y) : null);
  state.chart?.destroy();
  state.chart = new uPlot(options, [order.map((index) => value(index, x)), unbeaten, ...series], element("chart"));
  state.chart.over.onclick = () => choose(nearest(state.chart));
}

// A column with its unit.
function named(name) {
  const units = [[/_j$/, "J"], [/per_s$/, "1/s"], [/_s$/, "s"], [/_m2$/, "m²"], [/_cycles$/, "cycles"], [/per_w$/, "1e12/J"]];
  if (isShare(name)) return `${name} (%)`;
  const found = units.find(([end]) => end.test(name));
  return found ? `${name} (${found[1]})` : name;
}

// Draws the marks of a group instead of the library's discs.
const marks = (number) => (chart, series, from, to) => {
  const context = chart.ctx;
  const radius = 4 * devicePixelRatio;
  const corners = shapes[number % shapes.length];
  context.save();
  context.fillStyle = colours[number % colours.length];
  for (let index = from; index <= to; index++) {
    const value = chart.data[series][index];
    if (value === null || value === undefined) continue;
    const [x, y] = [chart.valToPos(chart.data[0][index], "x", true), chart.valToPos(value, "y", true)];
    context.beginPath();
    if (corners.length === 0) context.arc(x, y, radius, 0, 2 * Math.PI);
    corners.forEach(([right, down], corner) => corner === 0 ? context.moveTo(x + radius * right, y + radius * down) : context.lineTo(x + radius * right, y + radius * down));
    context.fill();
  }
  context.restore();
  return false;
};

// The row whose mark is nearest to the pointer, in both directions; null without a pointer.
function nearest(chart) {
  const { left, top } = chart.cursor;
  if (left === null || left === undefined || left < 0) return null;
  const [x, y] = [element("x").value, element("y").value].map(place);
  const distance = (index) => {
    const { values } = data.rows[index];
    return Math.hypot(chart.valToPos(values[x], "x") - left, chart.valToPos(values[y], "y") - top);
  };
  return state.order.reduce((best, index) => best === null || distance(index) < distance(best) ? index : best, null);
}

function hover(index) {
  const row = data.rows[index];
  element("hover").textContent = row ? data.columns.map((name, column) => `${name} ${short(row.values[column])}${isShare(name) ? " %" : ""}`).join(", ") : "";
}

// The row in the table, and its configuration with what its axes changed.
function choose(index) {
  state.chosen = index;
  document.querySelectorAll("#body tr").forEach((line) => line.classList.toggle("chosen", Number(line.dataset.row) === index));
  document.querySelector("#body tr.chosen")?.scrollIntoView({ block: "nearest" });
  if (index === null) return;
  const changes = new Map(data.points[data.rows[index].point]);
  const keys = [...new Set([...data.base.map(([key]) => key), ...changes.keys()])].sort();
  const base = new Map(data.base);
  element("configuration").replaceChildren(`# ${data.rows[index].id}\n`, ...keys.filter((key) => changes.get(key) !== null).map((key) => {
    const text = `${key} = ${changes.get(key) ?? base.get(key)}\n`;
    if (!changes.has(key)) return text;
    const changed = document.createElement("b");
    changed.textContent = text;
    return changed;
  }));
}

function draw() {
  const [x, y] = [element("x").value, element("y").value];
  const onFront = front(x, y);
  drawTable(onFront);
  drawChart(x, y, onFront);
}

for (const [id, wanted] of [["x", "energy_j"], ["y", "accuracy_mean"]]) {
  element(id).replaceChildren(...metrics.map((name) => new Option(name, name, name === wanted, name === wanted)));
  element(id).onchange = draw;
}
element("filter").oninput = filter;
// A link may hold a filter: report.html#mapping=isaac
try {
  element("filter").value = decodeURIComponent(location.hash.slice(1));
} catch {
  // Not every text after # is one that a link may hold.
  element("filter").value = location.hash.slice(1);
}
matchMedia("(prefers-color-scheme: dark)").onchange = draw;
filter();
