// What this browser remembers: language, appearance and voice.

import type { Language } from "./types";

export const LANGUAGES: readonly Language[] = ["en", "ko"];
export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
/** What is spoken: nothing, corrections, or corrections and counts. */
export const VOICES = ["off", "cues", "counts"] as const;
export type Voice = (typeof VOICES)[number];

function remembered<T extends string>(name: string, known: readonly T[]): T | undefined {
  try {
    return known.find((value) => value === localStorage.getItem(`kinebox.${name}`));
  } catch {
    return undefined; // storage is switched off in this browser
  }
}

function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`kinebox.${name}`, value);
  } catch {
    // storage is switched off or full: the choice holds until the page is closed
  }
}

function browserLanguage(): Language {
  const wanted = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.find((tag): tag is Language => (LANGUAGES as readonly string[]).includes(tag)) ?? "en";
}

const systemDark = matchMedia("(prefers-color-scheme: dark)");

class Settings {
  #language = $state<Language>(remembered("language", LANGUAGES) ?? browserLanguage());
  #theme = $state<Theme>(remembered("theme", THEMES) ?? "system");
  #voice = $state<Voice>(remembered("voice", VOICES) ?? "off");
  #systemDark = $state(systemDark.matches);

  constructor() {
    systemDark.addEventListener("change", (event) => (this.#systemDark = event.matches));
  }

  get language(): Language {
    return this.#language;
  }

  set language(value: Language) {
    this.#language = value;
    remember("language", value);
  }

  get theme(): Theme {
    return this.#theme;
  }

  set theme(value: Theme) {
    this.#theme = value;
    remember("theme", value);
  }

  get voice(): Voice {
    return this.#voice;
  }

  set voice(value: Voice) {
    this.#voice = value;
    remember("voice", value);
  }

  /** The appearance in use: the chosen one, or the device's. */
  get appearance(): "light" | "dark" {
    if (this.#theme !== "system") return this.#theme;
    return this.#systemDark ? "dark" : "light";
  }
}

export const settings = new Settings();
