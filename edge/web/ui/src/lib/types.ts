// The shapes of the box's API. The box serves this page itself, so both sides are always the same version.

import type { Zone } from "./zones";

export type Grade = "A" | "B" | "C" | "none";
export type ReasonCode =
  | "joint_hidden"
  | "low_visibility"
  | "oblique_view"
  | "out_of_plane"
  | "low_frame_rate"
  | "not_calibrated"
  | "monocular_depth"
  | "no_gait"
  | "few_strides"
  | "far_side"
  | "tilt_unknown"
  | "fast_movement"
  | "too_far"
  | "no_person";
export type Phase = "ready" | "out" | "peak" | "back" | "hold";
export type CameraCondition = "starting" | "live" | "lost" | "ended" | "black";
export type EndReason = "left" | "stopped" | "source_ended" | "interrupted";
export type Side = "left" | "right" | "both";
export type Language = "en" | "ko";
export type Translated = Record<Language, string>;

/** To the body's own left or right. */
export interface Turn {
  degrees: number;
  to: "left" | "right";
}

export interface Measure {
  value: number | null;
  grade: Grade;
  reasons: ReasonCode[];
  /** There where it is rough or missing, and would be better after this turn. */
  turn?: Turn | null;
}

/** The difference to an earlier session, and how much of one could be told from noise. */
export interface Change {
  direction: "increased" | "decreased" | "not_detectable";
  before: number;
  difference: number;
  least: number;
}

export interface Measurement extends Measure {
  unit: string;
  change: Change | null;
}

export interface Coach {
  exercise: string | null;
  given: boolean;
  phase: Phase | null;
  reps: number;
  partial_reps: number;
  hold_s: number;
  tempo_s: number | null;
  progress: number | null;
  set: number;
  set_reps: number;
  measures: Record<string, Measure>;
  /** What would help what is done now. */
  turn: Turn | null;
  /** Some part of the body is outside the picture. */
  cut_off: boolean;
  set_partial_reps: number;
  set_hold_s: number;
  /** Movements of the set that were none of the exercise. */
  rejected_reps: number;
  /** Full repetitions of this limb alone, in the set. */
  left: number;
  right: number;
  /** Seconds since the latest set began. */
  set_s: number | null;
  /** Seconds since the latest repetition was over. */
  rest_s: number | null;
  cue: Cue | null;
  /** 3: may hurt, 2: costs the exercise its purpose, 1: could be better. */
  cue_weight: number | null;
}

/** A correction, to be spoken and shown. */
export interface Cue {
  t: number;
  exercise: string;
  rule: string;
  text: Translated;
}

export interface Remark {
  rule: string;
  text: Translated;
  /** Of the repetitions that showed it, those of which the text is true. */
  share: number;
}

/** What is said of a set when it is over. */
export interface SetSummary {
  exercise: string;
  praise: Remark[];
  improve: Remark[];
  reps: number;
  partial_reps: number;
  rejected_reps: number;
  left: number;
  right: number;
  hold_s: number;
  tempo_s: number | null;
  tempo_spread: number | null;
  range_deg: number | null;
  range_spread: number | null;
}

export const STRICTNESS = ["gentle", "normal", "strict", "off"] as const;
export type Strictness = (typeof STRICTNESS)[number];

export interface CoachSettings {
  strictness: Strictness;
}

/** x and y in pixels of the camera's picture, visibility 0-1; null where the model gave no number. */
export type Keypoint = [x: number | null, y: number | null, visibility: number | null];

export interface Subject {
  id: number;
  species: string;
  skeleton: string;
  score: number;
  keypoints: Keypoint[];
  /** Without it no exercise is recognised. */
  depth: boolean;
  /** null of those outside of the station. */
  coach: Coach | null;
}

export interface FrameMessage {
  type: "frame";
  camera: string;
  frame: number;
  capture_ms: number;
  sent_ms: number;
  width: number;
  height: number;
  fps: number;
  dropped: number;
  timings: Record<string, number>;
  subjects: Subject[];
  /** Id of who has the station, else of the nearest. */
  main: number | null;
  /** Known people who were not read in this picture. */
  waiting: number;
}

export interface CameraMessage {
  type: "camera";
  camera: string;
  state: CameraCondition;
  detail: string;
  /** What the part that sees pictures has of the network. */
  network: "none" | "camera" | "open";
}

export interface EventMessage {
  type: "event";
  subject: number;
  kind: string;
  t: number;
  exercise: string | null;
  cue: Cue | null;
  summary: SetSummary | null;
  /** With `rep_measured`. */
  measures: Record<string, Measure>;
}

export type ServerMessage =
  | FrameMessage
  | CameraMessage
  | { type: "hello"; version: string; clock_ms: number }
  | EventMessage
  | { type: "pong"; t: number; server_ms: number };

export interface Status {
  version: string;
  model: { name: string; precision: string };
  camera: { id: string; state: CameraCondition; detail: string };
  exercise: string;
  uplink: Uplink | null;
  store: "ok" | "failing";
  troubles: Trouble[];
  tuning: Tuning | null;
}

/** Something is wrong with the box. */
export interface Trouble {
  kind: string;
  value: number;
  detail: string;
  seconds: number;
}

/** How pictures are dealt with, and why. */
export interface Tuning {
  basis: "safe" | "kept" | "measured";
  precision: string;
  threads: number;
  /** 0 where it cannot be chosen. */
  width: number;
  height: number;
  fps: number;
  most: number;
  reasons: Record<string, string>;
}

/** What waits for the cloud. */
export interface Uplink {
  connected: boolean;
  rows: number;
  hours: number;
  hours_left: number | null;
  given_up: number;
}

/** What the owner says of the camera and of whoever is before it. */
export interface CameraChoice {
  height_m: number | null;
  /** Degrees across the width of the picture. */
  field: number;
}

/** Where nobody is followed, and the one place that is counted. */
export interface ZoneChoice {
  zones: Zone[];
  station: Zone | null;
}

export interface CameraStand extends CameraChoice, ZoneChoice {
  camera: string;
  calibration: {
    source: "none" | "marker" | "walks";
    tilt: number | null;
    roll: number | null;
    above: number | null;
    walks: number;
    dropped: "camera_moved" | "picture_size" | "other_camera" | "other_lens" | null;
    dropped_utc: number | null;
  };
}

export interface Exercise {
  id: string;
  name: Translated;
  view: "front" | "side" | "any";
  kind: "reps" | "hold" | "rhythm" | "other";
  species: string;
  /** Where the camera serves it; `low`: at the height of somebody who lies. */
  camera: "side" | "front" | "side_low" | "front_low";
  sides: "together" | "each" | "whole";
  /** Counted without being chosen. */
  auto: boolean;
  muscles: { prime: string[]; stabilisers: string[] };
  /** `added`: in the dashboard; `file`: from another folder. */
  origin: "box" | "added" | "file";
  /** What the muscles do on the way out from the start position. */
  out: "eccentric" | "concentric";
}

/** A file that is no exercise. */
/** What is wrong in the text of an exercise. */
export interface Fault {
  code: string;
  /** The way to it: "parts 2 full"; empty where it is about all of the text. */
  where: string;
  params: Record<string, string>;
}

export interface Refused {
  file: string;
  line: number;
  fault: Fault;
}

/** An error as the API tells it. */
export interface Problem {
  code: string;
  detail: string;
  line?: number;
  fault?: Fault;
}

export interface Metric {
  key: string;
  unit: string;
  label: Translated;
  species: string[];
  minimum: number;
  maximum: number;
  statistic: string;
}

export interface Skeleton {
  names: string[];
  edges: [number, number][];
  pairs: [left: number, right: number][];
}

export interface ExerciseSummary {
  exercise: string;
  reps: number;
  partial_reps: number;
  hold_s: number;
}

export interface SessionSummary {
  id: string;
  started: string | null;
  ended: string | null;
  end_reason: EndReason | null;
  duration_s: number;
  subject: number;
  species: string;
  model: string;
  camera: string;
  exercises: ExerciseSummary[];
}

export interface Repetition {
  /** Seconds since the session began, at the far end of the movement. */
  t: number;
  kind: "rep" | "partial";
  side: Side | null;
  duration_s: number;
  eccentric_s: number;
  concentric_s: number;
  range_deg: number | null;
  peak_deg: number | null;
  /** By key of the catalogue; empty where it was not measured. */
  measures: Record<string, Measure>;
}

export interface ExerciseSet extends ExerciseSummary {
  id: number;
  start_s: number;
  end_s: number | null;
  repetitions: Repetition[];
  rejected_reps: number;
  /** null while it runs, and of a set that was cut off. */
  summary: SetSummary | null;
}

export interface SessionPage {
  sessions: SessionSummary[];
  /** `before` of the next page; null on the last one. */
  next: string | null;
}

export interface SessionCalibration {
  source: CameraStand["calibration"]["source"];
  tilt: number | null;
  roll: number | null;
  above: number | null;
  height_m: number | null;
  field: number;
}

export interface Session extends SessionSummary {
  sets: ExerciseSet[];
  measurements: Record<string, Measurement>;
  /** What was known when it was measured; null of an older version's. */
  calibration: SessionCalibration | null;
  /** The session that `change` is against. */
  compared_with: { id: string; started: string | null } | null;
}

export interface Samples {
  t: number[];
  series: Record<string, (number | null)[]>;
}
