// Where bodies were seen since the page was opened: a mirror shows somebody where nobody walks.

import type { FrameMessage, Keypoint, Skeleton } from "./types";

export interface Place {
  kind: "hips" | "feet";
  /** Shares of the picture. */
  x: number;
  y: number;
}

const MOST = 500;
/** Share of the picture within which somebody is still in the same place. */
const SAME = 0.015;
const JOINTS = { hips: "hip", feet: "ankle" } as const;

function middle(points: (Keypoint | undefined)[], { width, height }: FrameMessage): [number, number] | null {
  const known = points.filter((point) => point?.[0] != null && point[1] != null);
  if (!known.length) return null;
  const mean = (axis: 0 | 1) => known.reduce((sum, point) => sum + (point?.[axis] ?? 0), 0) / known.length;
  return [mean(0) / width, mean(1) / height];
}

/** `before` with the places of everybody in `frame`, the newest last. */
export function seen(before: Place[], frame: FrameMessage, skeletons: Record<string, Skeleton>): Place[] {
  const now: Place[] = [];
  for (const { skeleton, keypoints } of frame.subjects) {
    const names = skeletons[skeleton]?.names ?? [];
    for (const kind of ["hips", "feet"] as const) {
      const of = (side: string) => keypoints[names.indexOf(`${side}_${JOINTS[kind]}`)];
      const at = middle([of("left"), of("right")], frame);
      if (!at) continue;
      const place = { kind, x: at[0], y: at[1] };
      const known = before.some(
        (one) => one.kind === kind && Math.hypot(one.x - place.x, one.y - place.y) < SAME,
      );
      if (!known) now.push(place);
    }
  }
  return now.length ? [...before, ...now].slice(-MOST) : before;
}
