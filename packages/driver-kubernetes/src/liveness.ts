export interface LivenessOptions {
  readonly intervalMs: number;
  readonly ping: () => void;
  /** The far end gave no sign of life for that long, two pings included. Called once. */
  readonly onDead: (silentMs: number) => void;
  /** While true, silence means nothing. */
  readonly isDeaf: () => boolean;
}

export interface Liveness {
  /** A sign of life. */
  readonly heard: () => void;
  readonly stop: () => void;
}

const LIMIT = 2;

/** Pings when it is silent, and tells when two pings in a row had no answer. Keeps no process alive. */
export function watchLiveness({ intervalMs, ping, onDead, isDeaf }: LivenessOptions): Liveness {
  let unanswered = 0;
  const timer = setInterval(() => {
    if (isDeaf()) unanswered = 0;
    if (unanswered >= LIMIT) {
      clearInterval(timer);
      onDead(unanswered * intervalMs);
      return;
    }
    unanswered++;
    ping();
  }, intervalMs);
  timer.unref();
  return { heard: () => (unanswered = 0), stop: () => clearInterval(timer) };
}
