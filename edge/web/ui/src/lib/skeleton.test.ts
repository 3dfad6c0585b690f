import { expect, test } from "vitest";

import { fit, opacity } from "./skeleton";

test.each([
  [
    "wide picture in a square",
    { width: 640, height: 360 },
    { width: 320, height: 320 },
    { scale: 0.5, x: 0, y: 70 },
  ],
  [
    "tall picture in a wide box",
    { width: 360, height: 640 },
    { width: 640, height: 320 },
    { scale: 0.5, x: 230, y: 0 },
  ],
  ["same shape", { width: 100, height: 50 }, { width: 200, height: 100 }, { scale: 2, x: 0, y: 0 }],
])("%s", (_, picture, box, expected) => {
  expect(fit(picture, box)).toEqual(expected);
});

test("unseen joints are faded, never gone", () => {
  expect(opacity(0)).toBeCloseTo(0.12);
  expect(opacity(0.25)).toBeCloseTo(0.12);
  expect(opacity(0.9)).toBe(1);
  expect(opacity(0.3)).toBeLessThan(opacity(0.5));
});
