// Three pages behind the hash: #/, #/sessions and #/sessions/<id>.

export type Route = { page: "live" } | { page: "sessions" } | { page: "session"; id: string };

export const LIVE = "#/";
export const SESSIONS = "#/sessions";
export const sessionHash = (id: string): string => `${SESSIONS}/${encodeURIComponent(id)}`;

function parse(hash: string): Route {
  const [first, second] = hash.replace(/^#?\/?/, "").split("/");
  if (first !== "sessions") return { page: "live" };
  return second ? { page: "session", id: decodeURIComponent(second) } : { page: "sessions" };
}

class Router {
  route = $state.raw<Route>(parse(location.hash));

  constructor() {
    addEventListener("hashchange", () => (this.route = parse(location.hash)));
  }
}

export const router = new Router();
