import { formatRough, formatValue } from "./format";
import { hasText, t } from "./i18n";
import { settings } from "./settings.svelte";

/** A number with its unit, as the reader's language writes it: "87°", "2.1 s". */
export function quantity(value: number, unit: string): string {
  return withUnit(formatValue(value, unit, settings.language), unit);
}

/** A difference or an error with its unit: two figures are enough; `signed`: with its plus or minus. */
export function rough(value: number, unit: string, signed = false): string {
  return withUnit(formatRough(value, settings.language, signed), unit);
}

function withUnit(number: string, unit: string): string {
  return hasText(`unit.${unit}`)
    ? t(`unit.${unit}` as "unit.deg", { value: number })
    : `${number} ${unit}`.trim();
}
