// Polygons on the camera's picture; corners are shares of its width and height, from the top left.

export type Corner = [x: number, y: number];
export type Zone = Corner[];

export const MOST_ZONES = 16;
export const MOST_CORNERS = 32;
export const LEAST_CORNERS = 3;

const clamp = (share: number): number => Math.min(Math.max(share, 0), 1);

/** In the picture, and no finer than anybody can draw. */
export function corner(x: number, y: number): Corner {
  const round = (share: number) => Math.round(clamp(share) * 1000) / 1000;
  return [round(x), round(y)];
}

/** The zone with corner `index` moved by so much. */
export function moved(zone: Zone, index: number, dx: number, dy: number): Zone {
  return zone.map(([x, y], at) => (at === index ? corner(x + dx, y + dy) : [x, y]));
}

/** The zone without corner `index`; as it was where it would be none any more. */
export function without(zone: Zone, index: number): Zone {
  return zone.length > LEAST_CORNERS ? zone.filter((_, at) => at !== index) : zone;
}

/** As SVG's `points`, in a picture of this size. */
export function points(zone: Zone, width: number, height: number): string {
  return zone.map(([x, y]) => `${x * width},${y * height}`).join(" ");
}

/** The way an arrow key goes, a share of the picture each way; null for another key. */
export function step(key: string, far: boolean): Corner | null {
  const by = far ? 0.1 : 0.02;
  const ways: Record<string, Corner> = {
    ArrowLeft: [-by, 0],
    ArrowRight: [by, 0],
    ArrowUp: [0, -by],
    ArrowDown: [0, by],
  };
  return ways[key] ?? null;
}
