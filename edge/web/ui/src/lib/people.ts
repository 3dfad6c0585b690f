// Several people in the pictures: who is shown though it is not their turn, and in which colour.

import type { FrameMessage, Subject } from "./types";

export const COLOURS = 6;
/** People take turns in far less. */
const HELD_MS = 1500;
/** After so long a colour may be somebody else's. */
const FORGOTTEN_MS = 10_000;

interface Known {
  subject: Subject;
  at: number;
  colour: number;
}

/** Everybody who was seen lately. */
export class People {
  #known = new Map<number, Known>();

  /** `frame` with those in it who were not read in this picture because it was not their turn; `now` in ms. */
  add(frame: FrameMessage, now: number): FrameMessage {
    for (const subject of frame.subjects) {
      const colour = this.#known.get(subject.id)?.colour ?? this.#free(subject.id);
      this.#known.set(subject.id, { subject, at: now, colour });
    }
    for (const [id, { at }] of this.#known) if (now - at > FORGOTTEN_MS) this.#known.delete(id);
    if (!frame.waiting) return frame;
    const held = [...this.#known.values()]
      .filter(({ at }) => at < now && now - at <= HELD_MS)
      .sort((a, b) => b.at - a.at)
      .slice(0, frame.waiting);
    const subjects = [...frame.subjects, ...held.map(({ subject }) => subject)];
    return { ...frame, subjects: subjects.sort((a, b) => a.id - b.id) };
  }

  /** Milliseconds since `id` was seen; Infinity for somebody unknown. */
  away(id: number, now: number): number {
    return now - (this.#known.get(id)?.at ?? -Infinity);
  }

  /** 0 to COLOURS - 1: kept while somebody is there, and no two people's as long as there are enough. */
  colour(id: number): number {
    return this.#known.get(id)?.colour ?? 0;
  }

  /** The same on every screen, unless it is somebody else's. */
  #free(id: number): number {
    const taken = [...this.#known.values()].map(({ colour }) => colour);
    const wanted = [...Array(COLOURS).keys()].map((next) => (id - 1 + next) % COLOURS);
    return wanted.find((colour) => !taken.includes(colour)) ?? wanted[0] ?? 0;
  }
}
