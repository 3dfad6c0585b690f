import type {
  CameraChoice,
  CameraStand,
  CoachSettings,
  Exercise,
  Metric,
  Problem,
  Refused,
  Samples,
  Session,
  SessionPage,
  Skeleton,
  Status,
  ZoneChoice,
} from "./types";

/** The box answered, but not with what was asked for. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    /** What the box says of it; null where it says nothing. */
    readonly problem: Problem | null = null,
  ) {
    super(`HTTP ${status}`);
  }
}

/** Address of a resource of the API, relative to where the dashboard is served. */
export function address(path: string): string {
  return new URL(`api/v1/${path}`, document.baseURI).href;
}

async function request(path: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(address(path), { credentials: "same-origin", ...init });
  if (!response.ok) throw new ApiError(response.status, await problemOf(response));
  return response;
}

async function problemOf(response: Response): Promise<Problem | null> {
  try {
    return (await response.json()) as Problem;
  } catch {
    return null; // not from the box itself
  }
}

async function get<T>(path: string): Promise<T> {
  return (await request(path)).json() as Promise<T>;
}

const exercise = (id: string): string => `exercises/${encodeURIComponent(id)}`;
const session = (id: string): string => `sessions/${encodeURIComponent(id)}`;

export const getStatus = () => get<Status>("status");
export const getExercises = () => get<Exercise[]>("exercises");
export const getMetrics = () => get<Metric[]>("metrics");
export const getSkeletons = () => get<Record<string, Skeleton>>("skeletons");
export const getCamera = () => get<CameraStand>("camera");
export const getCoach = () => get<CoachSettings>("coach");
export const getRefused = () => get<Refused[]>("exercises/refused");
export const getSession = (id: string) => get<Session>(session(id));

const put = (path: string, record: unknown) =>
  request(path, {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(record),
  });

export async function putExercise(exercise: string): Promise<void> {
  await put("exercise", { exercise });
}

export async function putCamera(choice: CameraChoice): Promise<CameraStand> {
  return (await put("camera", choice)).json() as Promise<CameraStand>;
}

export async function putZones(choice: ZoneChoice): Promise<CameraStand> {
  return (await put("camera/zones", choice)).json() as Promise<CameraStand>;
}

export async function putCoach(settings: CoachSettings): Promise<void> {
  await put("coach", settings);
}

/** The exercise as it is written, in TOML. */
export async function getSource(id: string): Promise<string> {
  return (await request(`${exercise(id)}/source`)).text();
}

/** Add an exercise of one's own, or write the one called `id` anew. */
export async function saveExercise(text: string, id: string | null): Promise<Exercise> {
  const headers = { "Content-Type": "text/plain" };
  const answer = await request(id === null ? "exercises" : exercise(id), {
    method: id === null ? "POST" : "PUT",
    headers,
    body: text,
  });
  return (await answer.json()) as Exercise;
}

export async function deleteExercise(id: string): Promise<void> {
  await request(exercise(id), { method: "DELETE" });
}

/** Newest first; `before` is the `next` of the page before. */
export function getSessions(limit: number, before: string | null): Promise<SessionPage> {
  const query = new URLSearchParams({ limit: String(limit), ...(before && { before }) });
  return get<SessionPage>(`sessions?${query}`);
}

export function getSamples(id: string, keys: string[]): Promise<Samples> {
  return get<Samples>(`${session(id)}/samples?${new URLSearchParams({ keys: keys.join(",") })}`);
}

export async function deleteSession(id: string): Promise<void> {
  await request(session(id), { method: "DELETE" });
}

export function exportAddress(id: string, format: "csv" | "json" | "mot"): string {
  return address(`${session(id)}/export?format=${format}`);
}
