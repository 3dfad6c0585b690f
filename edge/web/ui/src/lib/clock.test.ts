import { expect, test } from "vitest";

import { ClockOffset, median } from "./clock";

test("no answer yet, no offset", () => {
  expect(new ClockOffset().toServer(1000)).toBeNull();
  expect(new ClockOffset().uncertainty).toBeNull();
});

test("the quickest exchange decides", () => {
  const clock = new ClockOffset();
  clock.add(1000, 6100, 1200); // a slow way there: seems 5000 ahead
  clock.add(2000, 6995, 2010); // 4990 ahead, known to 5 ms
  clock.add(3000, 8300, 3100);
  expect(clock.toServer(0)).toBe(4990);
  expect(clock.uncertainty).toBe(5);
});

test("old exchanges are forgotten, for clocks drift", () => {
  const clock = new ClockOffset();
  clock.add(0, 100, 2);
  for (let i = 1; i <= 8; i++) clock.add(i * 100, i * 100 + 205, i * 100 + 10);
  expect(clock.toServer(0)).toBe(200);
});

test.each([
  [[], null],
  [[3], 3],
  [[9, 1, 5], 5],
])("median of %j is %j", (values, expected) => {
  expect(median(values)).toBe(expected);
});
