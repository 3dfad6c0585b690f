import { expect, test } from "vitest";

import { marksOf, mirrorOf, spanOf, spreadOf } from "./marks";
import type { Repetition } from "./types";

function repetition(t: number, kind: "rep" | "partial"): Repetition {
  return {
    t,
    kind,
    side: null,
    duration_s: 2,
    eccentric_s: 1.5,
    concentric_s: 0.5,
    range_deg: 90,
    peak_deg: 95,
    measures: {},
  };
}

test("full repetitions are numbered in order of time, partial ones are not", () => {
  const marks = marksOf({
    repetitions: [repetition(9, "rep"), repetition(3, "rep"), repetition(6, "partial")],
  });
  expect(marks.map(({ t, number }) => [t, number])).toEqual([
    [3, 1],
    [6, null],
    [9, 2],
  ]);
});

test.each([
  [10, 60, [6.5, 12.5]],
  [2, 60, [0, 4.5]],
  [59, 60, [55.5, 60]],
])("a repetition at %d s of %d s is shown from %j", (t, end, expected) => {
  expect(spanOf(repetition(t, "rep"), "eccentric", end)).toEqual(expected);
});

test("an exercise whose way out is concentric begins with it", () => {
  expect(spanOf(repetition(10, "rep"), "concentric", 60)).toEqual([7.5, 13.5]);
});

test("spread ignores gaps and outliers", () => {
  const curve = Array.from({ length: 101 }, (_, i) => (i === 0 ? -999 : i === 100 ? 999 : i));
  expect(spreadOf([null, ...curve])).toBe(90);
  expect(spreadOf([null])).toBe(0);
});

test.each([
  ["knee_flexion_left", "knee_flexion_right"],
  ["knee_flexion_right", "knee_flexion_left"],
  ["trunk_lean", null],
])("mirror of %s is %s", (key, expected) => {
  expect(mirrorOf(key)).toBe(expected);
});
