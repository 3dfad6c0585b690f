import { expect, test } from "vitest";

import { liveliest, stylesOf } from "./curves";

test("colour says the side, dashes say the joint", () => {
  const styles = stylesOf(["knee_left", "knee_right", "hip_left", "trunk_lean"]);
  expect([...styles.values()].map(({ hue }) => hue)).toEqual(["left", "right", "left", "middle"]);
  expect(styles.get("knee_left")?.dash).toEqual(styles.get("knee_right")?.dash);
  expect(styles.get("knee_left")?.dash).not.toEqual(styles.get("hip_left")?.dash);
});

test("the joint that moved most is shown first, on both sides", () => {
  const series = { hip_left: [0, 50], knee_left: [0, 60], knee_right: [0, 90], trunk_lean: [null, null] };
  expect(liveliest(series)).toEqual(["knee_left", "knee_right"]);
  expect(liveliest({ trunk_lean: [0, 1] })).toEqual(["trunk_lean"]);
  expect(liveliest({})).toEqual([]);
});
