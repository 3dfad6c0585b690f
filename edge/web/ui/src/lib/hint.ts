// The one thing that helps most now, so that somebody is seen better.

import { t } from "./i18n";
import { remediesFor, remedyFor } from "./remedies";
import type { Coach, Exercise, ReasonCode } from "./types";

/** Known of a walk alone; nobody is to walk for it now. */
const LATER: readonly ReasonCode[] = ["tilt_unknown", "no_gait", "few_strides"];

/**
 * Null where all is well. Whole body first, then the view that the exercise is seen in; before there is one, what
 * hinders most numbers.
 */
export function hintFor(coach: Coach, row: Exercise | undefined): string | null {
  if (coach.cut_off) return t("remedy.step_back");
  if (coach.turn) return remedyFor("oblique_view", coach.turn);
  if (row) return row.kind !== "rhythm" && coach.set === 0 ? t(`camera_place.${row.camera}`) : null;
  const counts = new Map<ReasonCode, number>();
  for (const { reasons } of Object.values(coach.measures))
    for (const code of reasons.filter((code) => !LATER.includes(code)))
      counts.set(code, (counts.get(code) ?? 0) + 1);
  const worst = [...counts].sort(([, a], [, b]) => b - a).map(([code]) => code);
  return remediesFor(worst, null)[0] ?? null;
}
