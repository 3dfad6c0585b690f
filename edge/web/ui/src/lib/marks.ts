import { cycleSpan } from "./cycles";
import type { Exercise, ExerciseSet, Repetition } from "./types";

/** A repetition as it is drawn on the curves and listed below them. */
export interface Mark extends Repetition {
  /** 1, 2, 3… within the set for full repetitions; null for partial ones, which are not counted. */
  number: number | null;
}

/** The repetitions of one set in order of time, the full ones numbered. */
export function marksOf(set: Pick<ExerciseSet, "repetitions">): Mark[] {
  let count = 0;
  return [...set.repetitions]
    .sort((a, b) => a.t - b.t)
    .map((repetition) => ({ ...repetition, number: repetition.kind === "rep" ? ++count : null }));
}

/** Whether some repetition was of one limb: where both always move together, saying so is no news. */
export function oneSided(marks: readonly Mark[]): boolean {
  return marks.some(({ side }) => side === "left" || side === "right");
}

/** Span in seconds that shows one repetition with some room on both sides, inside 0…`end`. */
export function spanOf(
  repetition: Repetition,
  out: Exercise["out"],
  end: number,
): [from: number, to: number] {
  const [from, to] = cycleSpan(repetition, out);
  const room = Math.max(to - from, 1);
  return [Math.max(from - room, 0), Math.min(to + room, end)];
}

/** Spread of a curve without its outliers (5th to 95th percentile); 0 of an empty one. */
export function spreadOf(curve: readonly (number | null)[]): number {
  const seen = curve.filter((value) => value !== null).sort((a, b) => a - b);
  const at = (share: number) => seen[Math.round(share * (seen.length - 1))] ?? 0;
  return at(0.95) - at(0.05);
}

/** The other side's metric of a left or right one; null of a metric without sides. */
export function mirrorOf(key: string): string | null {
  if (key.endsWith("_left")) return key.replace(/_left$/, "_right");
  if (key.endsWith("_right")) return key.replace(/_right$/, "_left");
  return null;
}
