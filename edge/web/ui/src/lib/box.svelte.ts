// How the box is, asked for again and again on every page.

import { getStatus } from "./api";
import type { Status } from "./types";

const EVERY_MS = 10_000;

class Box {
  /** Null where it does not answer, which the pages say by themselves. */
  status = $state.raw<Status | null>(null);

  /** Ask until the returned function is called. */
  watch(): () => void {
    const ask = async () => (this.status = await getStatus().catch(() => null));
    void ask();
    const timer = setInterval(() => void ask(), EVERY_MS);
    return () => clearInterval(timer);
  }
}

export const box = new Box();
