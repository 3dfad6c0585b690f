// Six pages behind the hash: #/, #/camera, #/exercises, #/sessions, #/sessions/<id> and #/sessions/<id>/report.

export type Route =
  | { page: "live" }
  | { page: "camera" }
  | { page: "exercises" }
  | { page: "sessions" }
  | { page: "session" | "report"; id: string };

export const LIVE = "#/";
export const CAMERA = "#/camera";
export const EXERCISES = "#/exercises";
export const SESSIONS = "#/sessions";
export const sessionHash = (id: string): string => `${SESSIONS}/${encodeURIComponent(id)}`;
export const reportHash = (id: string): string => `${sessionHash(id)}/report`;

function parse(hash: string): Route {
  const [first, second, third] = hash.replace(/^#?\/?/, "").split("/");
  if (first === "camera") return { page: "camera" };
  if (first === "exercises") return { page: "exercises" };
  if (first !== "sessions") return { page: "live" };
  if (!second) return { page: "sessions" };
  return { page: third === "report" ? "report" : "session", id: decodeURIComponent(second) };
}

class Router {
  route = $state.raw<Route>(parse(location.hash));

  constructor() {
    addEventListener("hashchange", () => (this.route = parse(location.hash)));
  }
}

export const router = new Router();
