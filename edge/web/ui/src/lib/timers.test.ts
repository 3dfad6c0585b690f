import { expect, test } from "vitest";

import { restOf, setTimeOf } from "./timers";

test("before the first set nothing is timed", () => {
  const coach = { phase: "ready", set_s: null, rest_s: null } as const;
  expect([restOf(coach, 3), setTimeOf(coach, 3)]).toEqual([null, null]);
});

test("a short pause belongs to the set", () => {
  const coach = { phase: "ready", set_s: 20, rest_s: 2 } as const;
  expect([restOf(coach, 0), setTimeOf(coach, 0)]).toEqual([null, 20]);
});

test("at rest the set's time stands still, also out of sight", () => {
  const coach = { phase: "ready", set_s: 30, rest_s: 10 } as const;
  expect([restOf(coach, 0), setTimeOf(coach, 0)]).toEqual([10, 20]);
  expect([restOf(coach, 15), setTimeOf(coach, 15)]).toEqual([25, 20]);
});

test("a slow repetition is no rest", () => {
  const coach = { phase: "out", set_s: 30, rest_s: 10 } as const;
  expect([restOf(coach, 0), setTimeOf(coach, 0)]).toEqual([null, 30]);
});
