import ReconnectingWebSocket from "partysocket/ws";

import { ApiError, address, getStatus, putExercise } from "./api";
import { catalogue } from "./catalogue.svelte";
import { ClockOffset, localNow, median } from "./clock";
import type {
  CameraCondition,
  Coach,
  EventMessage,
  FrameMessage,
  Measure,
  ServerMessage,
  SetSummary,
  Subject,
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

export interface Latency {
  ms: number;
  uncertainty: number;
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
  /** Id of the subject that the viewer has chosen; the box's main one (the first) where they have not. */
  chosen = $state<number | null>(null);
  /** The last word of the coach: it stays when the subject leaves, so that the count can be read afterwards. */
  coach = $state.raw<Coach | null>(null);
  /** The numbers of the last repetition of the subject that is shown. */
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
  #coachAt = 0;
  #renamedAt = 0;
  #missing = "";
  #voice = new Voice();

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

  subject(frame: FrameMessage | null): Subject | null {
    return frame?.subjects.find(({ id }) => id === this.chosen) ?? frame?.subjects[0] ?? null;
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
      this.coach = null;
      this.summary = null;
      this.repetition = {};
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
        this.summary = null;
        this.repetition = {};
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
    const shown = this.subject(this.frame);
    if (shown && subject !== shown.id) return; // who has left is still told of
    if (kind === "rep_measured") this.repetition = measures;
    else if (kind === "set_start") this.summary = null;
    else if (kind === "set_summary") this.summary = summary;
    else if (kind === "set_renamed") {
      this.renamed = exercise;
      this.#renamedAt = localNow();
    } else if (kind === "cue" && cue) this.#voice.cue(cue);
  }

  #setCamera({ state, detail }: { state: CameraCondition; detail: string }): void {
    this.camera = state;
    this.detail = detail;
    this.#frameAt = localNow();
  }

  #show(frame: FrameMessage): void {
    this.#frameAt = localNow();
    if (this.camera === "stalled" || this.camera === "starting") this.camera = "live";
    this.frame = frame;
    const coach = this.subject(frame)?.coach;
    if (coach) {
      this.#voice.counted(this.coach, coach);
      this.coach = coach;
      this.#coachAt = this.#frameAt;
      this.since = 0;
      this.#know(coach.exercise);
    }
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
    if (this.coach && localNow() - this.#coachAt > 1000) this.since = (localNow() - this.#coachAt) / 1000;
    if (localNow() - this.#renamedAt > RENAMED_MS) this.renamed = null;
    const silent = localNow() - this.#frameAt > STALLED_MS;
    if (this.connection === "open" && this.camera === "live" && silent) this.camera = "stalled";
  }
}
