// Why the box refuses an exercise, in words.

import { told } from "./i18n";
import type { Fault } from "./types";

/** The way to what is wrong, and the sentence; the names of fields are as they stand in the file. */
export function refusal({ code, where, params }: Fault): string {
  const typed = Object.entries(params).map(([name, value]) => [name, told(`toml_type.${value}`)]);
  const reason = told(`refusal.${code}`, code === "type" ? Object.fromEntries(typed) : params);
  return where ? `${where}: ${reason}` : reason;
}
