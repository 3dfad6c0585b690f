import { expect, test } from "vitest";

import type { Mark } from "./marks";
import { columnsOf } from "./repetitions";
import type { Measure } from "./types";

function mark(measures: Record<string, Measure>, range_deg: number | null = 90): Mark {
  return {
    number: 1,
    t: 3,
    kind: "rep",
    side: "both",
    duration_s: 2,
    eccentric_s: 1.2,
    concentric_s: 0.8,
    range_deg,
    peak_deg: null,
    measures,
  };
}

const A = (value: number): Measure => ({ value, grade: "A", reasons: [] });

test("what was measured goes before what was counted", () => {
  const [range] = columnsOf([mark({ rep_range: A(88) }), mark({})]);
  expect(range?.key).toBe("rep_range");
  expect(range?.cells.map(({ value }) => value)).toEqual([88, 90]);
  expect(range?.cells.map(({ measure }) => measure?.grade)).toEqual(["A", undefined]);
});

test("what was not measurable stays so, though it was counted", () => {
  const hidden: Measure = { value: null, grade: "none", reasons: ["joint_hidden"] };
  const [range] = columnsOf([mark({ rep_range: hidden })]);
  expect(range?.cells).toEqual([{ value: null, measure: hidden }]);
});

test("columns without anything are left out", () => {
  expect(columnsOf([mark({}, null)]).map(({ key }) => key)).toEqual([
    "rep_eccentric_time",
    "rep_concentric_time",
  ]);
  expect(columnsOf([mark({ rep_smoothness: A(-1.5) }, null)]).map(({ key }) => key)).toContain(
    "rep_smoothness",
  );
});
