// Numbers, dates and durations in the reader's language. Words are in the translation files.

import type { Language } from "./types";

const DECIMALS: Record<string, number> = { deg: 0, deg_per_s: 0, percent: 0, ms: 0, s: 1, m: 2 };

/** `value` with the decimals that make sense for its unit (degrees are not known to a tenth). */
export function formatValue(value: number, unit: string, language: Language): string {
  const digits = DECIMALS[unit] ?? 1;
  const rounded = Number(value.toFixed(digits)) || 0; // never "-0"
  return rounded.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** `value` with two figures. */
export function formatRough(value: number, language: Language, signed: boolean): string {
  return value.toLocaleString(language, {
    maximumSignificantDigits: 2,
    signDisplay: signed ? "exceptZero" : "auto",
  });
}

/** Seconds as `m:ss`, or `h:mm:ss` from an hour on. */
export function formatClock(seconds: number): string {
  const total = Math.max(Math.floor(seconds), 0);
  const two = (n: number) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function formatDay(iso: string, language: Language): string {
  return new Date(iso).toLocaleDateString(language, {
    weekday: "long",
    year: "numeric",
    month: "long",
    day: "numeric",
  });
}

export function formatTime(iso: string, language: Language): string {
  return new Date(iso).toLocaleTimeString(language, { hour: "numeric", minute: "2-digit" });
}
