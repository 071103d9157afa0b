import { createBottomArea, type TerminalSize } from "./bottom-area.ts";
import { fitWidth } from "./display-width.ts";
import { followTerminal } from "./follow-terminal.ts";
import { formatDuration } from "./format-duration.ts";
import { isForeground } from "./is-foreground.ts";
import { createLiveDrawing } from "./live-drawing.ts";
import { createLogTails } from "./log-tails.ts";
import { createStepAmounts } from "./step-amounts.ts";
import { createStepStore } from "./step-store.ts";
import { viewSteps } from "./step-view.ts";
import { formatSummary, type Summary } from "./summary.ts";
import type { StepListener } from "./told-step.ts";
import { treeLines } from "./tree-lines.ts";
import { treeStyle } from "./tree-style.ts";

/** The live tree at the lower end of a terminal. */
export interface TreeProgress extends StepListener {
  /** Leaves the terminal to somebody else until what it gives is called. */
  hold(): () => void;
  /** Takes the live tree away and leaves the last one among what was printed, with the summary. */
  close(): void;
}

/** A terminal for output. */
export interface DrawingTerminal extends NodeJS.EventEmitter {
  readonly rows?: number | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export interface TreeProgressOptions {
  readonly terminal: DrawingTerminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly summary: () => Summary;
}

/** Lines of the tree that stays at the end. */
const LAST_LINES = 60;

export function createTreeProgress({ terminal, env, summary }: TreeProgressOptions): TreeProgress {
  const style = treeStyle(env, process.platform);
  const tails = createLogTails();
  const amounts = createStepAmounts();
  const store = createStepStore({
    onForget(id) {
      tails.forget(id);
      amounts.forget(id);
    },
  });
  const size = (): TerminalSize => ({ rows: terminal.rows ?? 0, columns: terminal.columns ?? 0 });
  const view = () => viewSteps({ store, tails, amounts, nowMs: Date.now() });
  const drawing = createLiveDrawing({
    area: createBottomArea((text) => void terminal.write(text)),
    size,
    isOurs: isForeground,
    lines({ width, height, frame }) {
      const text = ` ${countText(summary())} `;
      const heading = fitWidth(`${style.signs.rule.repeat(3)}${text}${style.signs.rule.repeat(Math.max(0, width - text.length - 3))}`, width);
      return [style.paint("dim", heading), ...treeLines(view(), { width, height: height - 1, frame, style })].slice(0, height);
    },
  });
  const unfollow = followTerminal(drawing, terminal);
  return {
    step(step) {
      store.add(step);
      drawing.changed();
    },
    log(log) {
      if (!amounts.add(log)) tails.add(log);
      drawing.changed();
    },
    hold: () => drawing.hold(),
    close() {
      drawing.close();
      unfollow();
      const facts = summary();
      const width = (terminal.columns || 80) - 1;
      const lines = treeLines(view(), { width, height: LAST_LINES, frame: 0, style, whole: true });
      if (lines.length === 0) return;
      terminal.write([`${freshLine(width)}${lines.join("\n")}`, style.paint("bold", fitWidth(formatSummary(facts), width)), ""].join("\n"));
    },
  };
}

function countText({ steps, cached, failed, elapsedMs }: Summary): string {
  const parts = [`${steps} done`, ...(cached > 0 ? [`${cached} cached`] : []), ...(failed > 0 ? [`${failed} failed`] : []), formatDuration(elapsedMs)];
  return parts.join(", ");
}

/** Goes to the next line if something stands in this one, which nobody here can know: as many blanks as fit into an empty line. */
function freshLine(width: number): string {
  return `${" ".repeat(width)}\r\u001b[K`;
}
