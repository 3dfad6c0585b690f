// What somebody can do so that a number gets better, in words.

import { t } from "./i18n";
import type { Measure, ReasonCode, Turn } from "./types";

/** Reasons that another view would take away. */
const VIEW: readonly ReasonCode[] = ["oblique_view", "out_of_plane", "monocular_depth"];

/** What to change against one reason; where it is the view and the `turn` is known, which way. */
export function remedyFor(code: ReasonCode, turn: Turn | null | undefined): string {
  return turn && VIEW.includes(code)
    ? t(`remedy.turn_${turn.to}`, { degrees: turn.degrees })
    : t(`remedy.${code}`);
}

/** What to change now, each thing once; what only another view would help is left out without a turn to it. */
export function remediesFor(reasons: readonly ReasonCode[], turn: Turn | null | undefined): string[] {
  const helpful = reasons.filter((code) => turn || !VIEW.includes(code));
  return [...new Set(helpful.map((code) => remedyFor(code, turn)))];
}

/** What is wrong and what to change, a sentence pair for each reason; a remedy is said once. */
export function explained({ reasons, turn }: Pick<Measure, "reasons" | "turn">): string[] {
  const said = new Set<string>();
  return reasons.map((code) => {
    const remedy = remedyFor(code, turn);
    const known = said.has(remedy);
    said.add(remedy);
    return known ? `${t(`reason.${code}`)}.` : `${t(`reason.${code}`)}. ${remedy}`;
  });
}
