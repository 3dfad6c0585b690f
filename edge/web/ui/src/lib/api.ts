import type {
  CameraChoice,
  CameraStand,
  Exercise,
  Metric,
  Samples,
  Session,
  SessionPage,
  Skeleton,
  Status,
} from "./types";

/** The box answered, but not with what was asked for. */
export class ApiError extends Error {
  constructor(readonly status: number) {
    super(`HTTP ${status}`);
  }
}

/** Address of a resource of the API, relative to where the dashboard is served. */
export function address(path: string): string {
  return new URL(`api/v1/${path}`, document.baseURI).href;
}

async function request(path: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(address(path), { credentials: "same-origin", ...init });
  if (!response.ok) throw new ApiError(response.status);
  return response;
}

async function get<T>(path: string): Promise<T> {
  return (await request(path)).json() as Promise<T>;
}

const session = (id: string): string => `sessions/${encodeURIComponent(id)}`;

export const getStatus = () => get<Status>("status");
export const getExercises = () => get<Exercise[]>("exercises");
export const getMetrics = () => get<Metric[]>("metrics");
export const getSkeletons = () => get<Record<string, Skeleton>>("skeletons");
export const getCamera = () => get<CameraStand>("camera");
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
