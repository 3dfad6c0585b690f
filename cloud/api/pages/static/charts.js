// Draws each table that asks for it: rows are moments, columns are curves. The table stays for whoever cannot see it.
"use strict";

const HUES = ["left", "right", "accent", "muted"];
const DASHES = [[], [8, 5], [2, 4]];

/** Colour and dash of the n-th curve: neighbours differ in both, and no pair repeats within twelve. */
function lookOf(n) {
  return { hue: HUES[n % HUES.length], dash: DASHES[Math.floor(n / HUES.length + n) % DASHES.length] };
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function contentOf(table) {
  const names = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent.trim());
  const rows = [...table.tBodies[0].rows];
  const moments = rows.map((row) => Date.parse(row.querySelector("time").dateTime) / 1000);
  const number = (cell) => (cell.querySelector("data") ? Number(cell.querySelector("data").value) : null);
  const curves = names.map((_, n) => rows.map((row) => number(row.cells[n + 1])));
  return { names, data: [moments, ...curves] };
}

function legendOf(names) {
  const legend = document.createElement("ul");
  legend.className = "legend";
  for (const [n, name] of names.entries()) {
    const { hue, dash } = lookOf(n);
    const item = legend.appendChild(document.createElement("li"));
    const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    drawing.setAttribute("viewBox", "0 0 26 4");
    const line = drawing.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "line"));
    const places = { x1: 0, y1: 2, x2: 26, y2: 2, stroke: colour(hue), "stroke-dasharray": dash.join(" ") };
    for (const [key, value] of Object.entries(places)) line.setAttribute(key, value);
    item.append(drawing, name);
  }
  return legend;
}

function draw(figure) {
  const table = figure.querySelector("table");
  const { names, data } = contentOf(table);
  if (data[0].length < 2) return null;
  const target = document.createElement("div");
  target.className = "chart";
  const legend = legendOf(names);
  const picture = document.createElement("div");
  picture.setAttribute("aria-hidden", "true"); // the table below says the same
  picture.append(target, legend);
  figure.querySelector("details").before(picture);
  const language = document.documentElement.lang;
  const day = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", timeZone: "UTC" });
  const number = new Intl.NumberFormat(language);
  const unit = figure.dataset.unit;
  const axis = { stroke: colour("muted"), font: "13px system-ui, sans-serif", ticks: { stroke: colour("line") } };
  const chart = new uPlot(
    {
      width: target.clientWidth,
      height: target.clientHeight,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      padding: [12, 36, 0, 0],
      series: [
        {},
        ...names.map((label, n) => ({
          label,
          stroke: colour(lookOf(n).hue),
          dash: lookOf(n).dash,
          width: 2,
          spanGaps: true,
          points: { show: true, size: 6, fill: colour(lookOf(n).hue) },
        })),
      ],
      axes: [
        { ...axis, grid: { show: false }, space: 70, values: (_, splits) => splits.map((at) => day.format(at * 1000)) },
        {
          ...axis,
          size: 62,
          grid: { stroke: colour("line"), width: 1 },
          values: (_, splits) => splits.map((value) => unit.replace("#", number.format(value))),
        },
      ],
    },
    data,
    target,
  );
  const observer = new ResizeObserver(() => {
    chart.setSize({ width: target.clientWidth, height: target.clientHeight });
  });
  observer.observe(target);
  return () => {
    observer.disconnect();
    chart.destroy();
    picture.remove();
  };
}

function drawAll() {
  const drawn = [...document.querySelectorAll("figure[data-chart]")].map(draw);
  // The colours are read when a chart is made.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => {
    for (const remove of drawn) remove?.();
    drawAll();
  }, { once: true });
  document.documentElement.dataset.drawn = String(drawn.filter(Boolean).length);
}

drawAll();
