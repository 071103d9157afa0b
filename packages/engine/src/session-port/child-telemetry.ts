export interface ChildTelemetry {
  /** A signal that says when one event stream of a child is to end. `gone`: the child has left by itself. */
  begin(childId: string | undefined, gone: AbortSignal): AbortSignal;
  /** The child is done: its event streams end after a moment for what is still on its way. */
  end(childId: string | undefined): void;
}

/** The engine writes telemetry out every 100 ms. */
const LINGER_MS = 300;

/** Keeps the event streams of children, which the engine would end only with the session itself. */
export function createChildTelemetry(): ChildTelemetry {
  const open = new Map<string, Set<AbortController>>();
  return {
    begin(childId = "", gone) {
      const controller = new AbortController();
      const streams = open.get(childId) ?? new Set();
      open.set(childId, streams.add(controller));
      gone.addEventListener("abort", () => streams.delete(controller), { once: true });
      return controller.signal;
    },
    end(childId = "") {
      const streams = open.get(childId);
      open.delete(childId);
      setTimeout(() => streams?.forEach((controller) => controller.abort()), LINGER_MS).unref();
    },
  };
}
