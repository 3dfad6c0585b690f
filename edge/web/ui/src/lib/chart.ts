// Curves over time with the repetitions marked on them, drawn by uPlot.

import uPlot from "uplot";

import type { CurveStyle } from "./curves";
import { formatClock } from "./format";
import type { Mark } from "./marks";

export interface Curve {
  key: string;
  label: string;
  unit: string;
  style: CurveStyle;
  values: (number | null)[];
}

export interface Span {
  label: string;
  from: number;
  to: number;
}

export interface ChartContent {
  t: number[];
  curves: Curve[];
  marks: Mark[];
  sets: Span[];
  end: number;
  /** A number with its unit in the reader's language. */
  quantity: (value: number, unit: string) => string;
}

export interface ChartEvents {
  /** Index into the samples below the pointer; null when it has left. */
  hover: (index: number | null) => void;
  zoom: (from: number, to: number) => void;
}

const TIME_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
const FONT = "system-ui, sans-serif";

/** Triangle for a full repetition, ring for a partial one: the shape tells them apart without the colour. */
function drawMark(u: uPlot, mark: Mark, colours: Colours): void {
  const { ctx, bbox } = u;
  const x = u.valToPos(mark.t, "x", true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  const px = devicePixelRatio;
  const full = mark.kind === "rep";
  const top = bbox.top + 14 * px;
  ctx.strokeStyle = ctx.fillStyle = full ? colours.accent : colours.muted;
  ctx.globalAlpha = 0.55;
  ctx.lineWidth = px;
  ctx.setLineDash(full ? [] : [4 * px, 4 * px]);
  ctx.beginPath();
  ctx.moveTo(x, top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.globalAlpha = 1;
  ctx.setLineDash([]);
  ctx.lineWidth = 2 * px;
  ctx.beginPath();
  if (full) {
    ctx.moveTo(x - 5 * px, top - 9 * px);
    ctx.lineTo(x + 5 * px, top - 9 * px);
    ctx.lineTo(x, top);
    ctx.fill();
  } else {
    ctx.arc(x, top - 5 * px, 4 * px, 0, 2 * Math.PI);
    ctx.stroke();
  }
}

function drawSet(u: uPlot, set: Span, colours: Colours): void {
  const { ctx, bbox } = u;
  const clamp = (x: number) => Math.min(Math.max(x, bbox.left), bbox.left + bbox.width);
  const from = clamp(u.valToPos(set.from, "x", true));
  const to = clamp(u.valToPos(set.to, "x", true));
  if (to <= from) return;
  const px = devicePixelRatio;
  ctx.fillStyle = colours.raised;
  ctx.globalAlpha = 0.6;
  ctx.fillRect(from, bbox.top, to - from, bbox.height);
  ctx.globalAlpha = 1;
  ctx.font = `600 ${12 * px}px ${FONT}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "bottom";
  ctx.fillStyle = colours.muted;
  if (ctx.measureText(set.label).width < to - from) ctx.fillText(set.label, from, bbox.top - 3 * px);
}

const NAMES = ["left", "right", "middle", "accent", "muted", "raised", "line"] as const;
type Colours = Record<(typeof NAMES)[number], string>;

function coloursAt(element: Element): Colours {
  const style = getComputedStyle(element);
  return Object.fromEntries(
    NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
  ) as Colours;
}

/** A chart inside `target`, as wide and as high as that; destroy it before making another. */
export function makeChart(target: HTMLElement, content: ChartContent, events: ChartEvents): uPlot {
  const { curves, end, quantity } = content;
  const colours = coloursAt(target);
  const units = [...new Set(curves.map(({ unit }) => unit))];
  const font = `13px ${FONT}`;
  const look = { stroke: colours.muted, font, ticks: { stroke: colours.line } };
  return new uPlot(
    {
      width: target.clientWidth,
      height: target.clientHeight,
      legend: { show: false },
      cursor: { drag: { x: true, y: false }, points: { size: 9 } },
      padding: [24, 12, 0, 0],
      scales: { x: { time: false, range: (_, from, to) => [Math.max(from, 0), Math.min(to, end)] } },
      series: [
        {},
        ...curves.map(({ label, unit, style }) => ({
          label,
          scale: unit,
          stroke: colours[style.hue],
          dash: style.dash,
          width: 2,
          points: { show: false },
        })),
      ],
      axes: [
        {
          ...look,
          grid: { show: false },
          space: 70,
          incrs: TIME_STEPS_S,
          values: (_, splits) => splits.map(formatClock),
        },
        ...units.map((unit, index) => ({
          ...look,
          scale: unit,
          side: index === 0 ? 3 : 1,
          size: 62,
          grid: { show: index === 0, stroke: colours.line, width: 1 },
          values: (_: uPlot, splits: number[]) => splits.map((value) => quantity(value, unit)),
        })),
      ],
      hooks: {
        drawClear: [(u) => content.sets.forEach((set) => drawSet(u, set, colours))],
        draw: [(u) => content.marks.forEach((mark) => drawMark(u, mark, colours))],
        setCursor: [(u) => events.hover(u.cursor.idx ?? null)],
        setScale: [
          (u, scale) => {
            const { min, max } = u.scales[scale] ?? {};
            if (scale === "x" && min != null && max != null) events.zoom(min, max);
          },
        ],
      },
    },
    [content.t, ...curves.map(({ values }) => values)],
    target,
  );
}
