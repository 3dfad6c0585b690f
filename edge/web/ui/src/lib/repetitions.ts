// The numbers of each repetition of a set, as columns of a table.

import type { Mark } from "./marks";
import type { Measure, Repetition } from "./types";

interface Row {
  key: string;
  /** What was known when it was counted, before it was measured; it has no grade. */
  counted?: (repetition: Repetition) => number | null;
}

const ROWS: readonly Row[] = [
  { key: "rep_range", counted: ({ range_deg }) => range_deg },
  { key: "rep_peak", counted: ({ peak_deg }) => peak_deg },
  { key: "rep_eccentric_time", counted: ({ eccentric_s }) => eccentric_s },
  { key: "rep_pause_time" },
  { key: "rep_concentric_time", counted: ({ concentric_s }) => concentric_s },
  { key: "rep_peak_velocity_eccentric" },
  { key: "rep_peak_velocity_concentric" },
  { key: "rep_mean_velocity_eccentric" },
  { key: "rep_mean_velocity_concentric" },
  { key: "rep_smoothness" },
];

/** One number: graded where it was measured, without a grade where it was only counted. */
export interface Cell {
  value: number | null;
  measure: Measure | null;
}

export interface Column {
  key: string;
  /** One for each repetition. */
  cells: Cell[];
}

/** The columns in which at least one of `marks` has something to show. */
export function columnsOf(marks: readonly Mark[]): Column[] {
  return ROWS.map(({ key, counted }) => ({
    key,
    cells: marks.map((mark): Cell => {
      const measure = mark.measures[key] ?? null;
      return { value: measure ? measure.value : (counted?.(mark) ?? null), measure };
    }),
  })).filter(({ cells }) => cells.some(({ value, measure }) => value !== null || measure !== null));
}
