import { formatValue } from "./format";
import { hasText, t } from "./i18n";
import { settings } from "./settings.svelte";

/** A number with its unit, as the reader's language writes it: "87°", "2.1 s". */
export function quantity(value: number, unit: string): string {
  const number = formatValue(value, unit, settings.language);
  return hasText(`unit.${unit}`)
    ? t(`unit.${unit}` as "unit.deg", { value: number })
    : `${number} ${unit}`.trim();
}
