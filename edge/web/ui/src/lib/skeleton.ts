// Draws skeletons on a canvas. Sides differ in colour and in shape, so that no colour vision is needed.

import type { Keypoint, Skeleton, Subject } from "./types";

export interface Palette {
  left: string;
  right: string;
  middle: string;
  picture: string;
  grid: string;
}

export interface Size {
  width: number;
  height: number;
}

export interface Fit {
  scale: number;
  x: number;
  y: number;
}

/** Largest placement of `picture` inside `box` that keeps its shape: pixel p is drawn at p * scale + (x, y). */
export function fit(picture: Size, box: Size): Fit {
  const scale = Math.min(box.width / picture.width, box.height / picture.height);
  return {
    scale,
    x: (box.width - picture.width * scale) / 2,
    y: (box.height - picture.height * scale) / 2,
  };
}

/** Opacity for a joint's visibility: seen joints solid, unseen ones a trace. */
export function opacity(visibility: number): number {
  const [unseen, seen] = [0.25, 0.6];
  return 0.12 + 0.88 * Math.min(Math.max((visibility - unseen) / (seen - unseen), 0), 1);
}

/** Pixels. */
const CHIP = 22;

interface Joint {
  x: number;
  y: number;
  alpha: number;
}

type Hue = "left" | "right" | "middle";

function huesOf(skeleton: Skeleton): Hue[] {
  const hues = skeleton.names.map((): Hue => "middle");
  for (const [left, right] of skeleton.pairs) {
    hues[left] = "left";
    hues[right] = "right";
  }
  return hues;
}

function place([x, y, visibility]: Keypoint, at: Fit): Joint | null {
  if (x === null || y === null) return null;
  return { x: x * at.scale + at.x, y: y * at.scale + at.y, alpha: opacity(visibility ?? 0) };
}

/** Canvas in CSS pixels, already scaled for the device's own pixels. */
export class SkeletonPainter {
  #hues = new Map<Skeleton, Hue[]>();

  constructor(
    readonly context: CanvasRenderingContext2D,
    readonly palette: Palette,
  ) {}

  /** Clear `box` and mark the camera's picture in it. */
  background(box: Size, picture: Size, at: Fit): void {
    const { context, palette } = this;
    context.globalAlpha = 1;
    context.clearRect(0, 0, box.width, box.height);
    context.fillStyle = palette.picture;
    context.fillRect(at.x, at.y, picture.width * at.scale, picture.height * at.scale);
    context.strokeStyle = palette.grid;
    context.lineWidth = 1;
    context.beginPath();
    const step = (Math.min(picture.width, picture.height) * at.scale) / 6;
    const [right, bottom] = [at.x + picture.width * at.scale, at.y + picture.height * at.scale];
    for (let x = at.x + step; x < right - 1; x += step) {
      context.moveTo(Math.round(x) + 0.5, at.y);
      context.lineTo(Math.round(x) + 0.5, bottom);
    }
    for (let y = at.y + step; y < bottom - 1; y += step) {
      context.moveTo(at.x, Math.round(y) + 0.5);
      context.lineTo(right, Math.round(y) + 0.5);
    }
    context.stroke();
  }

  /** One subject; `strength` 0-1 takes those back that are not the one shown. `colour`: of all of it. */
  subject(subject: Subject, skeleton: Skeleton, at: Fit, strength: number, colour?: string): void {
    const hues = this.#hues.get(skeleton) ?? huesOf(skeleton);
    this.#hues.set(skeleton, hues);
    const joints = subject.keypoints.map((point) => place(point, at));
    const ys = joints.flatMap((joint) => joint?.y ?? []);
    const height = Math.max(...ys) - Math.min(...ys);
    const width = Math.min(Math.max(height / 42, 2.5), 12);
    const shortest = new Array<number>(joints.length).fill(Infinity);
    this.context.lineCap = "round";
    for (const [a, b] of skeleton.edges) {
      const [from, to] = [joints[a], joints[b]];
      if (!from || !to) continue;
      const length = Math.hypot(to.x - from.x, to.y - from.y);
      shortest[a] = Math.min(shortest[a] ?? Infinity, length);
      shortest[b] = Math.min(shortest[b] ?? Infinity, length);
      const hue = hues[a] === hues[b] ? (hues[a] ?? "middle") : "middle";
      const thick = Math.min(width, Math.max(length / 3, 1.5));
      this.#bone(from, to, colour ?? this.palette[hue], thick, strength);
    }
    joints.forEach((joint, index) => {
      if (!joint) return;
      const radius = Math.min(width * 0.95, (shortest[index] ?? 0) / 4);
      // Face and fingers are too close together for marks of their own.
      if (radius > width / 2) this.#joint(joint, hues[index] ?? "middle", radius, strength, colour);
    });
  }

  /** The number of a subject over its head, within `box`. */
  chip(subject: Subject, at: Fit, box: Size, colour: string, strength: number): void {
    const { context, palette } = this;
    const joints = subject.keypoints.flatMap((point) => place(point, at) ?? []);
    const top = joints.reduce<Joint | null>(
      (high, joint) => (high && high.y <= joint.y ? high : joint),
      null,
    );
    if (!top) return;
    const text = String(subject.id);
    context.font = "700 15px system-ui, sans-serif";
    const width = Math.max(context.measureText(text).width + 14, CHIP);
    const x = Math.min(Math.max(top.x, width / 2), box.width - width / 2);
    const y = Math.min(Math.max(top.y - CHIP, CHIP / 2), box.height - CHIP / 2);
    context.globalAlpha = strength;
    context.fillStyle = colour;
    context.beginPath();
    context.roundRect(x - width / 2, y - CHIP / 2, width, CHIP, CHIP / 2);
    context.fill();
    context.fillStyle = palette.picture;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, x, y + 1);
  }

  #bone(from: Joint, to: Joint, colour: string, width: number, strength: number): void {
    const { context } = this;
    context.globalAlpha = Math.min(from.alpha, to.alpha) * strength;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
  }

  #joint({ x, y, alpha }: Joint, hue: Hue, radius: number, strength: number, colour?: string): void {
    const { context, palette } = this;
    context.globalAlpha = alpha * strength;
    context.fillStyle = palette.picture;
    context.strokeStyle = colour ?? palette[hue];
    context.lineWidth = Math.max(radius * 0.55, 1);
    context.beginPath();
    if (hue === "right") context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
    else context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
}
