import { formatValue } from "./format";
import { t } from "./i18n";
import { settings } from "./settings.svelte";

const KEYS = { deg: "unit.deg", s: "unit.s", m: "unit.m", percent: "unit.percent", ms: "unit.ms" } as const;

/** A number with its unit, as the reader's language writes it: "87°", "2.1 s". */
export function quantity(value: number, unit: string): string {
  const number = formatValue(value, unit, settings.language);
  return unit in KEYS ? t(KEYS[unit as keyof typeof KEYS], { value: number }) : `${number} ${unit}`.trim();
}
