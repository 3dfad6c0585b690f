// How long the set has lasted, and how long the rest after it.

import type { Coach } from "./types";

/** A pause within a set is shorter. */
const REST_S = 5;
const MOVING = new Set(["out", "peak", "back", "hold"]);

type Timed = Pick<Coach, "phase" | "set_s" | "rest_s">;

/** Seconds of rest, `since` seconds after the coach's last word; null while somebody is at it, or has not begun. */
export function restOf({ phase, rest_s }: Timed, since: number): number | null {
  if (rest_s === null || (phase && MOVING.has(phase))) return null;
  return rest_s + since >= REST_S ? rest_s + since : null;
}

/** Seconds from the set's first repetition to now, and at rest to its last one; null before the first set. */
export function setTimeOf(coach: Timed, since: number): number | null {
  if (coach.set_s === null) return null;
  return restOf(coach, since) === null ? coach.set_s + since : coach.set_s - (coach.rest_s ?? 0);
}
