import type { BottomArea, TerminalSize } from "./bottom-area.ts";

/** Something that is drawn again and again while it changes. */
export interface LiveDrawing {
  /** Something is new. */
  changed(): void;
  /** Stands aside until what it gives is called; then comes back, unless it was closed. May be nested. */
  hold(): () => void;
  /** Nothing of it stays on the terminal. Idempotent. */
  close(): void;
}

export interface LiveDrawingOptions {
  readonly area: BottomArea;
  readonly size: () => TerminalSize;
  /** The lines to draw: at most so many, each at most so wide. `frame` counts up. */
  readonly lines: (options: { readonly width: number; readonly height: number; readonly frame: number }) => readonly string[];
  /** Whether the terminal is ours to draw on now. Asked for each drawing. */
  readonly isOurs: () => boolean;
  readonly clock?: DrawingClock | undefined;
}

export interface DrawingClock {
  /** In ms, from any origin. */
  now(): number;
  /** Must not keep the process alive. Gives what cancels it. */
  after(ms: number, work: () => void): () => void;
}

/** Between two drawings, in ms; while nothing is new, and only times go on, the longer one. */
const FRAME_MS = 120;
const IDLE_FRAME_MS = 1000;
const IDLE_AFTER_MS = 5000;
/** Drawing takes no more than this share of the time, however much there is to draw and however slow the machine is. */
const SHARE = 1 / 10;

export function createLiveDrawing({ area, size, lines, isOurs, clock = systemClock }: LiveDrawingOptions): LiveDrawing {
  let holders = 0;
  let closed = false;
  let frame = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let changedAt = Number.NEGATIVE_INFINITY;
  let cancel: (() => void) | undefined;
  let dueAt = 0;
  let pauseMs = FRAME_MS;

  const stop = () => {
    cancel?.();
    cancel = undefined;
  };
  const schedule = (ms: number) => {
    const at = clock.now() + ms;
    if (closed || holders > 0 || (cancel !== undefined && dueAt <= at)) return;
    stop();
    dueAt = at;
    cancel = clock.after(ms, draw);
  };
  const draw = () => {
    cancel = undefined;
    if (closed || holders > 0) return;
    drawnAt = clock.now();
    if (isOurs()) drawLines(size());
    else area.release();
    const now = clock.now();
    pauseMs = Math.max(FRAME_MS, (now - drawnAt) / SHARE);
    drawnAt = now;
    schedule(now - changedAt > IDLE_AFTER_MS ? Math.max(IDLE_FRAME_MS, pauseMs) : pauseMs);
  };
  const drawLines = (terminal: TerminalSize) => {
    // A line that fills the last column would leave some terminals in doubt where the cursor is.
    area.draw(lines({ width: terminal.columns - 1, height: area.room(terminal), frame: frame++ }), terminal);
  };
  return {
    changed() {
      changedAt = clock.now();
      schedule(Math.max(0, drawnAt + pauseMs - changedAt));
    },
    hold() {
      if (holders++ === 0) {
        stop();
        area.release();
      }
      let given = false;
      return () => {
        if (given) return;
        given = true;
        if (--holders === 0) schedule(0);
      };
    },
    close() {
      closed = true;
      stop();
      area.release();
    },
  };
}

const systemClock: DrawingClock = {
  now: () => performance.now(),
  after(ms, work) {
    const timer = setTimeout(work, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
