// Runs in the dashboard before its own scripts: notes when each frame arrives, and when its canvas holds it.
(() => {
  const notes = { received: [], drawn: [], pings: [] };
  const taken = new Map(); // capture time by number of the frame
  const now = () => performance.timeOrigin + performance.now();

  function note(data, at) {
    const message = JSON.parse(data);
    // The page asks for the box's clock; the answer was written half a round trip ago.
    if (message.type === "pong") notes.pings.push([at - message.t, message.server_ms - (message.t + at) / 2]);
    if (message.type !== "frame") return;
    notes.received.push(at - message.capture_ms);
    taken.set(message.frame, message.capture_ms);
  }

  window.WebSocket = class extends window.WebSocket {
    constructor(...where) {
      super(...where);
      this.addEventListener("message", ({ data }) => note(data, now())); // the first to hear of it
    }
  };

  function painted({ target }) {
    const capture = taken.get(Number(target.dataset.frame));
    if (capture === undefined) return; // drawn before, and once more
    taken.clear(); // those before it will not be drawn any more
    // Once the page has handed the picture on to the screen.
    const { drawn } = notes;
    setTimeout(() => drawn.push(now() - capture));
  }

  const watch = { subtree: true, attributeFilter: ["data-frame"] };
  new MutationObserver((changes) => painted(changes.at(-1))).observe(document, watch);

  window.kineboxNotes = (anew) => {
    const { received, drawn, pings } = notes;
    if (anew) {
      taken.clear();
      Object.assign(notes, { received: [], drawn: [] });
    }
    return { received, drawn, pings };
  };
})();
