import i18next, { type TFunction } from "i18next";

import en from "../locales/en.json";
import ko from "../locales/ko.json";
import { settings } from "./settings.svelte";
import type { Translated } from "./types";

void i18next.init({
  lng: "en",
  fallbackLng: "en",
  resources: { en: { translation: en }, ko: { translation: ko } },
  initAsync: false,
  interpolation: { escapeValue: false }, // Svelte escapes
  // A code from the box that has no text yet is shown as words rather than as a key.
  parseMissingKeyHandler: (key) => key.slice(key.lastIndexOf(".") + 1).replaceAll("_", " "),
});

/** Text for a key in the reader's language; whoever shows it is updated when the language changes. */
export const t = ((key: string, options?: Record<string, unknown>) =>
  i18next.t(key as never, { lng: settings.language, ...options })) as unknown as TFunction;

/** The same for a key that is put together from what the box says, with what it says belongs into the text. */
export const told = t as unknown as (key: string, params?: Record<string, string>) => string;

/** Whether there is text for a key that is put together at run time. */
export const hasText = (key: string): boolean => i18next.exists(key);

/** The reader's language out of a name that the box delivers in all of them. */
export function translated(name: Translated): string {
  return name[settings.language] ?? name.en;
}
