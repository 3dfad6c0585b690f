// A repetition as a curve over 0-100 % of its time, and the mean of many of them.

import type { Exercise, ExerciseSet, Repetition, Samples } from "./types";

export const POINTS = 101;
/** Between two samples that are further apart nothing is drawn. */
const LONGEST_GAP_S = 0.5;
/** Repetitions from which there is a mean with a spread. */
const FEWEST = 2;

type Column = (number | null)[];

/** Mean and standard deviation of some curves at each per cent. */
export interface Cycle {
  count: number;
  mean: Column;
  low: Column;
  high: Column;
}

/** Start and end of a repetition in seconds: `t` is its far end. */
export function cycleSpan(repetition: Repetition, out: Exercise["out"]): [from: number, to: number] {
  const { t, eccentric_s, concentric_s } = repetition;
  return out === "eccentric" ? [t - eccentric_s, t + concentric_s] : [t - concentric_s, t + eccentric_s];
}

/** A metric over the seconds from…to as 101 values; null where it was not measured. */
export function stretched(t: readonly number[], values: Readonly<Column>, from: number, to: number): Column {
  let next = 0;
  return Array.from({ length: POINTS }, (_, index) => {
    const at = from + ((to - from) * index) / (POINTS - 1);
    while (next < t.length && (t[next] ?? 0) < at) next += 1;
    const [before, after] = [next - 1, next];
    const [t0, t1] = [t[before], t[after]];
    const [y0, y1] = [values[before] ?? null, values[after] ?? null];
    if (t1 === at && y1 !== null) return y1;
    if (t0 === undefined || t1 === undefined || y0 === null || y1 === null) return null;
    if (t1 - t0 > LONGEST_GAP_S) return null;
    return y0 + ((y1 - y0) * (at - t0)) / (t1 - t0);
  });
}

/** Mean of curves of equal length where at least half of them, and two, have a value; null when nowhere. */
export function meanCycle(curves: readonly Column[]): Cycle | null {
  const least = Math.max(FEWEST, curves.length / 2);
  const cycle: Cycle = { count: curves.length, mean: [], low: [], high: [] };
  for (let index = 0; index < POINTS; index += 1) {
    const values = curves.map((curve) => curve[index] ?? null).filter((value) => value !== null);
    if (values.length < least) {
      for (const column of [cycle.mean, cycle.low, cycle.high]) column.push(null);
      continue;
    }
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const deviation = Math.sqrt(squares / (values.length - 1));
    cycle.mean.push(mean);
    cycle.low.push(mean - deviation);
    cycle.high.push(mean + deviation);
  }
  return cycle.mean.every((value) => value === null) ? null : cycle;
}

/** The mean cycle of a metric over the full repetitions of `sets`; those of the other side are left out. */
export function cycleOf(
  key: string,
  samples: Samples,
  sets: readonly ExerciseSet[],
  out: Exercise["out"],
): Cycle | null {
  const side = /_(left|right)$/.exec(key)?.[1];
  const curves = sets
    .flatMap((set) => set.repetitions)
    .filter((one) => one.kind === "rep" && (!side || !one.side || one.side === "both" || one.side === side))
    .map((one) => stretched(samples.t, samples.series[key] ?? [], ...cycleSpan(one, out)));
  return meanCycle(curves);
}

/** The samples within some sets: what a joint does between them says nothing about the exercise. */
export function within(samples: Samples, sets: readonly ExerciseSet[]): Samples["series"] {
  const inside = samples.t.map((t) => sets.some((set) => t >= set.start_s && t <= (set.end_s ?? Infinity)));
  return Object.fromEntries(
    Object.entries(samples.series).map(([key, values]) => [key, values.filter((_, index) => inside[index])]),
  );
}
