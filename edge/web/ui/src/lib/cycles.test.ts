import { describe, expect, it } from "vitest";

import { cycleOf, cycleSpan, meanCycle, stretched, within } from "./cycles";
import type { ExerciseSet, Repetition } from "./types";

const repetition = (changes: Partial<Repetition>): Repetition => ({
  t: 2,
  kind: "rep",
  side: "both",
  duration_s: 2,
  eccentric_s: 1.2,
  concentric_s: 0.8,
  range_deg: null,
  peak_deg: null,
  measures: {},
  ...changes,
});
const set = (repetitions: Repetition[]): ExerciseSet => ({
  id: 1,
  exercise: "squat",
  reps: repetitions.length,
  partial_reps: 0,
  hold_s: 0,
  start_s: 0,
  end_s: 10,
  rejected_reps: 0,
  summary: null,
  repetitions,
});

describe("cycles", () => {
  it("start and end by what the muscles do on the way out", () => {
    expect(cycleSpan(repetition({}), "eccentric")).toEqual([0.8, 2.8]);
    expect(cycleSpan(repetition({}), "concentric")).toEqual([1.2, 3.2]);
  });

  it("are straight between samples, and empty where nothing was measured", () => {
    const curve = stretched([0, 0.4, 0.8, 1.2, 3], [0, 4, null, 12, 30], 0, 3);
    expect([curve[0], curve[10]]).toEqual([0, expect.closeTo(3)]);
    expect(curve[20]).toBeNull(); // between a sample without a value and its neighbours
    expect(curve[70]).toBeNull(); // a gap of 1.8 s
    expect(curve[100]).toBe(30);
    expect(stretched([], [], 0, 1)).toEqual(Array(101).fill(null));
  });

  it("have a mean and a spread from two repetitions on", () => {
    const flat = (value: number | null) => Array<number | null>(101).fill(value);
    const cycle = meanCycle([flat(10), flat(14), flat(null)]);
    expect([cycle?.mean[50], cycle?.low[50]]).toEqual([12, expect.closeTo(12 - Math.sqrt(8))]);
    expect(meanCycle([flat(10), flat(null), flat(null), flat(null)])).toBeNull();
    expect(meanCycle([])).toBeNull();
  });

  it("take the repetitions of their side only", () => {
    const t = Array.from({ length: 101 }, (_, index) => index / 10);
    const samples = { t, series: { knee_flexion_left: t.map((at) => at * 10) } };
    const sides = [2, 4, 6].map((at) => repetition({ t: at, side: at === 4 ? "right" : "left" }));
    const cycle = cycleOf("knee_flexion_left", samples, [set(sides)], "eccentric");
    expect([cycle?.count, cycle?.mean[0]]).toEqual([2, expect.closeTo((0.8 + 4.8) * 5)]);
    expect(cycleOf("elbow_flexion_left", samples, [set(sides)], "eccentric")).toBeNull();
  });

  it("know which samples are inside a set", () => {
    const samples = { t: [0, 5, 11], series: { trunk_lean: [1, 2, 3] } };
    expect(within(samples, [set([])])).toEqual({ trunk_lean: [1, 2] });
  });
});
