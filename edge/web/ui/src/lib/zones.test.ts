import { expect, test } from "vitest";

import { corner, moved, points, step, without, type Zone } from "./zones";

const MIRROR: Zone = [
  [0, 0],
  [0.25, 0],
  [0.25, 1],
  [0, 1],
];

test("corners stay in the picture", () => {
  expect(corner(-0.2, 1.2)).toEqual([0, 1]);
  expect(corner(0.33333, 0.5)).toEqual([0.333, 0.5]);
  expect(moved(MIRROR, 1, 0.1, -0.5)[1]).toEqual([0.35, 0]);
  expect(moved(MIRROR, 1, 0.1, -0.5)[0]).toEqual([0, 0]);
});

test("a zone keeps three corners", () => {
  const three = without(MIRROR, 0);
  expect(three).toEqual(MIRROR.slice(1));
  expect(without(three, 0)).toEqual(three);
});

test("as it is drawn, and as keys move it", () => {
  expect(points(MIRROR, 640, 360)).toBe("0,0 160,0 160,360 0,360");
  expect(step("ArrowUp", false)).toEqual([0, -0.02]);
  expect(step("ArrowRight", true)).toEqual([0.1, 0]);
  expect(step("a", false)).toBeNull();
});
