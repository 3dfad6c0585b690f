import ReconnectingWebSocket from "partysocket/ws";

import { ApiError, address, getCamera, getStatus, putExercise } from "./api";
import { catalogue } from "./catalogue.svelte";
import { ClockOffset, localNow, median } from "./clock";
import { People } from "./people";
import type {
  CameraCondition,
  Coach,
  EventMessage,
  FrameMessage,
  Measure,
  ServerMessage,
  SetSummary,
  Subject,
  ZoneChoice,
} from "./types";
import { Voice } from "./voice.svelte";

/** Numbers that change faster than this cannot be read. */
const READING_MS = 250;
const STALLED_MS = 4000;
const PING_MS = 5000;
const FIRST_PINGS = 4;
const LATENCIES = 45;
/** So long after a choice, frames may still tell of the time before it. */
const CHOICE_MS = 2000;

/** So long it is said that the exercise has another name. */
const RENAMED_MS = 6000;
/** So long somebody who was chosen may be out of sight before the box's choice is shown. */
const CHOSEN_MS = 2000;
/** So long it is said that people take turns: from one picture to the next it may come and go. */
const WAITING_MS = 3000;
/** Those whose words are remembered. */
const REMEMBERED = 32;

export interface Latency {
  ms: number;
  uncertainty: number;
}

/** What the coach has told of one person. */
class Words {
  coach: Coach | null = null;
  coachAt = 0;
  repetition: Record<string, Measure> = {};
  summary: SetSummary | null = null;
  renamed: string | null = null;
  renamedAt = 0;
}

/** What the box sends while the live page is open, and how far behind we show it. */
export class Live {
  connection = $state<"connecting" | "open" | "lost" | "denied" | "busy">("connecting");
  camera = $state<CameraCondition | "stalled">("starting");
  /** Code that says more about the camera's state; often empty. */
  detail = $state("");
  /** What the part of the box that sees pictures has of the network. */
  network = $state<"none" | "camera" | "open">("none");
  exercise = $state("auto");
  /** The newest frame, for drawing. */
  frame = $state.raw<FrameMessage | null>(null);
  /** A frame a few times a second, for reading. */
  reading = $state.raw<FrameMessage | null>(null);
  latency = $state.raw<Latency | null>(null);
  /** Id of the subject that the viewer has chosen; null: whom the box takes for the main one. */
  chosen = $state<number | null>(null);
  /** Id of the subject that is shown; it stays after they have left, so that the count can be read afterwards. */
  shown = $state<number | null>(null);
  /** How many people take turns. */
  waiting = $state(0);
  /** What the owner has drawn on the picture. */
  zones = $state.raw<ZoneChoice>({ zones: [], station: null });
  /** The last word of the coach to the subject that is shown. */
  coach = $state.raw<Coach | null>(null);
  /** The numbers of their last repetition. */
  repetition = $state.raw<Record<string, Measure>>({});
  version = $state("");
  /** What was said of the set that is over; null during a set. */
  summary = $state.raw<SetSummary | null>(null);
  /** The set in progress was found to be of this exercise. */
  renamed = $state<string | null>(null);
  /** Seconds since the coach's last word: clocks go on while somebody rests out of sight. */
  since = $state(0);

  #socket: ReconnectingWebSocket | undefined;
  #clock = new ClockOffset();
  #latencies: number[] = [];
  #pings = 0;
  #pingTimer = 0;
  #frameAt = 0;
  #readingAt = 0;
  #choiceAt = 0;
  #waitingAt = 0;
  #missing = "";
  #people = new People();
  #words = new Map<number, Words>();
  #voice: Voice | null;

  constructor({ silent = false } = {}) {
    this.#voice = silent ? null : new Voice();
  }

  /** Connect, and stay connected until the returned function is called. */
  connect(): () => void {
    const socket = new ReconnectingWebSocket(address("live").replace(/^http/, "ws"), [], {
      minReconnectionDelay: 500,
      maxReconnectionDelay: 8000,
      reconnectionDelayGrowFactor: 1.6,
      maxEnqueuedMessages: 0,
    });
    this.#socket = socket;
    socket.addEventListener("open", () => this.#opened());
    socket.addEventListener("close", ({ reason }) => void this.#closed(reason));
    socket.addEventListener("message", ({ data }) =>
      this.#receive(JSON.parse(data as string) as ServerMessage),
    );
    const watch = setInterval(() => this.#watch(), 1000);
    return () => {
      clearInterval(watch);
      clearTimeout(this.#pingTimer);
      this.#socket = undefined;
      socket.close();
    };
  }

  /** Whoever is shown, as far as `frame` has them. */
  subject(frame: FrameMessage | null): Subject | null {
    return frame?.subjects.find(({ id }) => id === this.shown) ?? null;
  }

  /** Show this one from now on; null: whom the box takes for the main one. */
  look(id: number | null): void {
    this.chosen = id;
    if (this.frame) this.#turn(this.frame);
  }

  /** Number of the colour in which somebody is drawn. */
  colour(id: number): number {
    return this.#people.colour(id);
  }

  /** `frame` is on the screen now: measure how long ago its picture was taken. */
  painted(frame: FrameMessage): void {
    const shown = this.#clock.toServer(localNow());
    if (shown === null) return;
    this.#latencies.push(shown - frame.capture_ms);
    if (this.#latencies.length > LATENCIES) this.#latencies.shift();
  }

  /** Count this exercise from now on, or with "auto" what is recognised; rejects when the box refuses. */
  async choose(exercise: string): Promise<void> {
    const before = this.exercise;
    this.exercise = exercise;
    this.#choiceAt = localNow();
    try {
      await putExercise(exercise);
      this.#words.clear();
      this.#tell();
    } catch (error) {
      this.exercise = before;
      throw error;
    }
  }

  #opened(): void {
    this.#clock = new ClockOffset();
    this.#latencies = [];
    this.#pings = 0;
    this.#frameAt = localNow();
    this.#ping();
    catalogue.load().catch(() => this.#socket?.reconnect());
    getCamera().then(
      (stand) => (this.zones = stand),
      () => undefined, // only not drawn
    );
    getStatus().then(
      (status) => {
        this.exercise = status.exercise;
        this.#setCamera(status.camera);
      },
      () => undefined, // the frames say the same a moment later
    );
  }

  async #closed(reason: string): Promise<void> {
    clearTimeout(this.#pingTimer);
    if (!this.#socket) return;
    this.latency = null;
    if (reason === "too_many_clients") this.connection = "busy";
    else if (this.connection !== "denied") this.connection = "lost";
    try {
      await getStatus();
    } catch (error) {
      // A refused WebSocket does not say why; the API does.
      const denied = error instanceof ApiError && (error.status === 401 || error.status === 403);
      if (this.connection === "lost" && denied) this.connection = "denied";
    }
  }

  #ping(): void {
    this.#socket?.send(JSON.stringify({ type: "ping", t: localNow() }));
    this.#pings += 1;
    this.#pingTimer = window.setTimeout(() => this.#ping(), this.#pings < FIRST_PINGS ? 200 : PING_MS);
  }

  #receive(message: ServerMessage): void {
    switch (message.type) {
      case "hello":
        // The box was updated while this page was open: its assets are another version's now.
        if (this.version && this.version !== message.version) location.reload();
        this.version = message.version;
        // The box tells again what was said last: what is not told any more is over.
        for (const words of this.#words.values()) Object.assign(words, { summary: null, repetition: {} });
        this.#tell();
        this.connection = "open"; // not before: a box with too many browsers takes the call and hangs up
        break;
      case "pong":
        this.#clock.add(message.t, message.server_ms, localNow());
        break;
      case "camera":
        this.#setCamera(message);
        this.network = message.network;
        break;
      case "frame":
        this.#show(message);
        break;
      case "event":
        this.#happened(message);
        break;
    }
  }

  /** Counts are in the frames, too; what is here happens once. */
  #happened({ kind, subject, measures, exercise, cue, summary }: EventMessage): void {
    const words = this.#of(subject);
    if (kind === "rep_measured") words.repetition = measures;
    else if (kind === "set_start") words.summary = null;
    else if (kind === "set_summary") words.summary = summary;
    else if (kind === "set_renamed") {
      words.renamed = exercise;
      words.renamedAt = localNow();
    }
    this.shown ??= subject; // who has left is still told of
    if (subject !== this.shown) return;
    if (kind === "cue" && cue) this.#voice?.cue(cue);
    this.#tell();
  }

  #of(subject: number): Words {
    const words = this.#words.get(subject) ?? new Words();
    this.#words.delete(subject);
    this.#words.set(subject, words); // the newest last
    const [oldest] = this.#words.keys();
    if (this.#words.size > REMEMBERED && oldest !== undefined) this.#words.delete(oldest);
    return words;
  }

  /** Show what was told of whoever is shown. */
  #tell(): void {
    const words = (this.shown === null ? null : this.#words.get(this.shown)) ?? new Words();
    this.coach = words.coach;
    this.repetition = words.repetition;
    this.summary = words.summary;
    this.renamed = words.renamed;
  }

  /** Whom to show: it goes to and fro neither with single pictures nor when somebody walks by. */
  #turn(frame: FrameMessage): void {
    const counted = frame.subjects.find(({ coach }) => coach !== null);
    const chosen =
      this.chosen !== null && this.#people.away(this.chosen, this.#frameAt) < CHOSEN_MS ? this.chosen : null;
    const shown = chosen ?? frame.main ?? counted?.id ?? this.shown;
    if (shown === this.shown) return;
    this.shown = shown;
    this.#tell();
  }

  #setCamera({ state, detail }: { state: CameraCondition; detail: string }): void {
    this.camera = state;
    this.detail = detail;
    this.#frameAt = localNow();
  }

  #show(message: FrameMessage): void {
    const now = localNow();
    this.#frameAt = now;
    if (this.camera === "stalled" || this.camera === "starting") this.camera = "live";
    const frame = this.#people.add(message, now);
    this.frame = frame;
    this.#turn(frame);
    for (const { id, coach } of message.subjects) {
      if (!coach) continue;
      const words = this.#of(id);
      if (id === this.shown) this.#voice?.counted(words.coach, coach);
      words.coach = coach;
      words.coachAt = now;
      if (id !== this.shown) continue;
      this.coach = coach;
      this.since = 0;
      this.#know(coach.exercise);
    }
    if (frame.waiting || now - this.#waitingAt > WAITING_MS) {
      this.waiting = frame.waiting;
      this.#waitingAt = now;
    }
    const coach = this.subject(message)?.coach;
    // Somebody else may have chosen, on another screen.
    if (coach?.exercise && this.#frameAt - this.#choiceAt > CHOICE_MS)
      this.exercise = coach.given ? coach.exercise : "auto";
    if (this.#frameAt - this.#readingAt >= READING_MS) {
      this.#readingAt = this.#frameAt;
      this.reading = frame;
      const ms = median(this.#latencies);
      const uncertainty = this.#clock.uncertainty;
      this.latency = ms === null || uncertainty === null ? null : { ms, uncertainty };
    }
  }

  /** Another browser may have added an exercise. */
  #know(exercise: string | null): void {
    if (!exercise || exercise === this.#missing || catalogue.exercise(exercise)) return;
    this.#missing = exercise;
    catalogue.reload().catch(() => (this.#missing = ""));
  }

  #watch(): void {
    const words = this.shown === null ? undefined : this.#words.get(this.shown);
    const silence = localNow() - (words?.coachAt ?? 0);
    if (words?.coach && silence > 1000) this.since = silence / 1000;
    if (words?.renamed && localNow() - words.renamedAt > RENAMED_MS) {
      words.renamed = null;
      this.renamed = null;
    }
    const silent = localNow() - this.#frameAt > STALLED_MS;
    if (this.connection === "open" && this.camera === "live" && silent) this.camera = "stalled";
  }
}
