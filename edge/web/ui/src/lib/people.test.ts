import { expect, test } from "vitest";

import { COLOURS, People } from "./people";
import type { FrameMessage } from "./types";

function frame(ids: number[], waiting = 0): FrameMessage {
  const subjects = ids.map((id) => ({
    id,
    species: "human",
    skeleton: "s",
    score: 1,
    keypoints: [],
    coach: null,
  }));
  return { subjects, waiting } as unknown as FrameMessage;
}

const seen = ({ subjects }: FrameMessage) => subjects.map(({ id }) => id);

test("who waits for a turn stays in the picture, who has gone does not", () => {
  const people = new People();
  expect(seen(people.add(frame([1, 2], 2), 0))).toEqual([1, 2]);
  expect(seen(people.add(frame([3, 4], 2), 33))).toEqual([1, 2, 3, 4]);
  expect(seen(people.add(frame([1, 2], 1), 66))).toHaveLength(3);
  expect(seen(people.add(frame([3]), 99))).toEqual([3]);
  expect(seen(people.add(frame([3], 3), 5000))).toEqual([3]);
});

test("colours stay, and are one's own while there are enough", () => {
  const people = new People();
  const everyone = [11, 12, 13, 14, 15, 16];
  people.add(frame(everyone), 0);
  const colours = everyone.map((id) => people.colour(id));
  expect(new Set(colours).size).toBe(COLOURS);
  people.add(frame([12]), 11_000);
  people.add(frame([12, 40]), 11_033);
  expect(people.colour(12)).toBe(colours[1]);
  expect(people.colour(40)).not.toBe(people.colour(12));
  people.add(frame([...everyone, 17, 18, 19]), 12_000);
  expect(people.colour(19)).toBeLessThan(COLOURS);
});

test("how long somebody is away", () => {
  const people = new People();
  people.add(frame([1]), 100);
  expect(people.away(1, 300)).toBe(200);
  expect(people.away(2, 300)).toBe(Infinity);
});
