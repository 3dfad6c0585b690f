// What a curve looks like: the colour says the side, as on the skeleton; the dashes say which joint.

import { mirrorOf, spreadOf } from "./marks";

export interface CurveStyle {
  hue: "left" | "right" | "middle";
  dash: number[];
}

const DASHES = [[], [9, 6], [2, 5], [14, 5, 2, 5]];

function hueOf(key: string): CurveStyle["hue"] {
  if (key.endsWith("_left")) return "left";
  return key.endsWith("_right") ? "right" : "middle";
}

/** Styles for the curves that are shown together, in the order of `keys`. */
export function stylesOf(keys: readonly string[]): Map<string, CurveStyle> {
  const joints = [...new Set(keys.map((key) => key.replace(/_(left|right)$/, "")))];
  return new Map(
    keys.map((key) => {
      const joint = joints.indexOf(key.replace(/_(left|right)$/, ""));
      return [key, { hue: hueOf(key), dash: DASHES[joint % DASHES.length] ?? [] }];
    }),
  );
}

/** The curves to begin with: the joint that moved most, on both sides where it has two. */
export function liveliest(series: Readonly<Record<string, readonly (number | null)[]>>): string[] {
  const best = Object.keys(series).reduce<string | null>(
    (most, key) => (most === null || spreadOf(series[key] ?? []) > spreadOf(series[most] ?? []) ? key : most),
    null,
  );
  if (best === null) return [];
  const mirror = mirrorOf(best);
  return mirror !== null && mirror in series ? [best, mirror].sort() : [best];
}
