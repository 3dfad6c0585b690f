import { expect, test } from "vitest";

import { formatClock, formatValue } from "./format";

test.each([
  [0, "0:00"],
  [59.9, "0:59"],
  [61, "1:01"],
  [3600, "1:00:00"],
  [7325, "2:02:05"],
  [-1, "0:00"],
])("%d s is %s", (seconds, expected) => {
  expect(formatClock(seconds)).toBe(expected);
});

test.each([
  [87.4, "deg", "87"],
  [-0.3, "deg", "0"],
  [0, "deg", "0"],
  [2.14, "s", "2.1"],
  [2, "s", "2.0"],
  [1.234, "m", "1.23"],
  [1234.56, "unheard_of", "1,234.6"],
])("%d %s is %s", (value, unit, expected) => {
  expect(formatValue(value, unit, "en")).toBe(expected);
});
