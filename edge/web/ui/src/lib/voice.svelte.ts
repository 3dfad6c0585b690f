// What the coach says aloud: corrections, and the count if that is wished for.

import { t, translated } from "./i18n";
import { settings } from "./settings.svelte";
import type { Coach, Cue, Language } from "./types";

/** Tags of a language and a country: some browsers look for a voice by the whole of it. */
const TAGS = { en: "en-US", ko: "ko-KR" } as const;
const HOLD_STEP_S = 10;

/** Browsers keep silent until somebody has touched the page. */
class Touch {
  seen = $state(false);

  constructor() {
    for (const kind of ["pointerdown", "keydown"])
      addEventListener(kind, () => (this.seen = true), { capture: true, once: true });
  }
}

export const touch = new Touch();

/** A voice of the device itself: others send the words to their maker's servers. Null: whatever the browser takes. */
function localVoice(language: Language): SpeechSynthesisVoice | null {
  const fitting = speechSynthesis
    .getVoices()
    .filter(({ localService, lang }) => localService && lang.toLowerCase().startsWith(language));
  return fitting.find((voice) => voice.default) ?? fitting[0] ?? null;
}

export class Voice {
  #speaking: { words: SpeechSynthesisUtterance; urgent: boolean } | null = null;

  cue({ text }: Cue): void {
    if (settings.voice !== "off") this.#say(translated(text), true);
  }

  /** What has been counted between two words of the coach. */
  counted(before: Coach | null, now: Coach): void {
    if (settings.voice !== "counts" || before?.exercise !== now.exercise) return;
    const tens = ({ set_hold_s }: Coach) => Math.floor(set_hold_s / HOLD_STEP_S);
    if (now.set === before.set && tens(now) > tens(before))
      this.#say(t("voice.held", { count: tens(now) * HOLD_STEP_S }), false);
    else if (now.set_reps > (now.set === before.set ? before.set_reps : 0))
      this.#say(String(now.set_reps), false);
  }

  /** The newest counts, but a correction is not cut off by a number. */
  #say(text: string, urgent: boolean): void {
    if (!touch.seen || !("speechSynthesis" in window)) return;
    if (this.#speaking?.urgent && !urgent) return;
    const words = new SpeechSynthesisUtterance(text);
    words.lang = TAGS[settings.language];
    words.voice = localVoice(settings.language);
    words.onend = words.onerror = () => {
      if (this.#speaking?.words === words) this.#speaking = null;
    };
    speechSynthesis.cancel();
    this.#speaking = { words, urgent };
    speechSynthesis.speak(words);
  }
}
