import { expect, test } from "vitest";

import { seen, type Place } from "./places";
import type { FrameMessage, Skeleton } from "./types";

const skeletons: Record<string, Skeleton> = {
  s: { names: ["left_hip", "right_hip", "left_ankle", "right_ankle"], edges: [], pairs: [] },
};

function frame(x: number): FrameMessage {
  const keypoints = [
    [x - 10, 100, 1],
    [x + 10, 100, 1],
    [x, 200, 1],
    [null, null, 0],
  ];
  return {
    width: 400,
    height: 200,
    subjects: [{ id: 1, species: "human", skeleton: "s", score: 1, keypoints, coach: null }],
  } as unknown as FrameMessage;
}

test("where hips and feet were, each place once", () => {
  let places: Place[] = [];
  for (const x of [100, 101, 100, 200]) places = seen(places, frame(x), skeletons);
  expect(places).toEqual([
    { kind: "hips", x: 0.25, y: 0.5 },
    { kind: "feet", x: 0.25, y: 1 },
    { kind: "hips", x: 0.5, y: 0.5 },
    { kind: "feet", x: 0.5, y: 1 },
  ]);
});

test("of an unknown skeleton nothing is known", () => {
  expect(seen([], frame(100), {})).toEqual([]);
});
