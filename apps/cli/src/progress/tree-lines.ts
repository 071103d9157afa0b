import { fitWidth, displayWidth } from "./display-width.ts";
import { formatDuration } from "./format-duration.ts";
import type { ForestView, StepState, StepView } from "./step-view.ts";
import type { TreeStyle } from "./tree-style.ts";

export interface TreeLinesOptions {
  /** Columns that a line may take at the most. */
  readonly width: number;
  /** Lines at the most. */
  readonly height: number;
  /** Counts up; the spinner turns with it. */
  readonly frame: number;
  readonly style: TreeStyle;
  /** The last tree, where nothing moves any more: what is below finished steps is shown, too. Default false. */
  readonly whole?: boolean | undefined;
}

/** How much is shown of what matters less; tried from the first to the last until all fits. */
interface Detail {
  /** Finished steps that are shown beside others, the newest; the rest is a number. */
  readonly finished: number;
  readonly runningTail: number;
  readonly failedTail: number;
}

const DETAILS: readonly Detail[] = [
  { finished: 100, runningTail: 4, failedTail: 10 },
  { finished: 5, runningTail: 3, failedTail: 10 },
  { finished: 2, runningTail: 2, failedTail: 6 },
  { finished: 1, runningTail: 1, failedTail: 3 },
  { finished: 0, runningTail: 1, failedTail: 1 },
];
const LEAST_DETAIL: Detail = { finished: 0, runningTail: 0, failedTail: 0 };

/** The lines of a tree of steps, never more or wider than asked for. Where room is short, what runs and what failed is shown first, and the rest as numbers. */
export function treeLines(forest: ForestView, options: TreeLinesOptions): readonly string[] {
  const { width, height } = options;
  if (width < 1 || height < 1) return [];
  return fitting(forest, options).map((line) => render(line, options));
}

function fitting(forest: ForestView, options: TreeLinesOptions): readonly Line[] {
  const { height, style } = options;
  for (const detail of DETAILS) {
    // One line too many is enough to know.
    const lines = atMost(height + 1, forestLines(forest, detail, options));
    if (lines.length <= height) return lines;
  }
  const lines = [...forestLines(forest, LEAST_DETAIL, options)];
  return lines.length <= height ? lines : cut(lines, height, style);
}

function atMost<T>(count: number, items: Iterable<T>): readonly T[] {
  const taken: T[] = [];
  for (const item of items) if (taken.push(item) >= count) break;
  return taken;
}

interface Line {
  readonly depth: number;
  readonly sign: string;
  readonly text: string;
  /** Stays when the text is cut. */
  readonly end: string;
  readonly kind: StepState | "log" | "more";
}

function* forestLines(forest: ForestView, detail: Detail, options: TreeLinesOptions): Generator<Line> {
  const { style, whole = false } = options;
  for (const text of last(forest.tail, whole ? 0 : detail.runningTail)) yield { depth: 0, sign: style.signs.log, text, end: "", kind: "log" };
  yield* siblings(forest.roots, { folded: forest.folded, depth: 0 }, detail, options);
  if (forest.refused > 0) yield more(0, `${forest.refused} more that are not followed`, style);
}

function* siblings(
  steps: readonly StepView[],
  { folded, depth }: { readonly folded: number; readonly depth: number },
  detail: Detail,
  options: TreeLinesOptions,
): Generator<Line> {
  const finished = steps.filter((step) => !step.active);
  const shown = new Set(last(finished, detail.finished));
  const hidden = finished.length - shown.size + folded;
  if (hidden > 0) yield more(depth, `${hidden} done`, options.style);
  for (const step of steps) if (shown.has(step) || step.active) yield* stepLines(step, depth, detail, options);
}

function* stepLines(step: StepView, depth: number, detail: Detail, options: TreeLinesOptions): Generator<Line> {
  const { whole = false } = options;
  yield { depth, sign: signOf(step, options), text: step.title, end: ` ${endOf(step, whole)}`, kind: step.state };
  if (!step.active && !whole) return;
  yield* tailLines(step, depth + 1, detail, options.style);
  yield* siblings(step.children, { depth: depth + 1, folded: step.folded }, detail, options);
}

function signOf({ state }: StepView, { style: { signs, spinner }, frame, whole }: TreeLinesOptions): string {
  if (state !== "running") return signs[state];
  return whole ? signs.canceled : (spinner[frame % spinner.length] ?? "");
}

function endOf({ state, ms, amount }: StepView, whole: boolean): string {
  const words = { cached: "CACHED ", canceled: "CANCELED ", failed: "ERROR ", done: "", running: whole ? "UNFINISHED " : "" };
  return `${amount === "" ? "" : `${amount} `}${words[state]}${formatDuration(ms)}`;
}

function tailLines(step: StepView, depth: number, { runningTail, failedTail }: Detail, { signs }: TreeStyle): readonly Line[] {
  if (step.state !== "running" && step.state !== "failed") return [];
  const tail = last(step.tail, step.state === "failed" ? failedTail : runningTail);
  return [
    ...tail.map((text): Line => ({ depth, sign: signs.log, text, end: "", kind: "log" })),
    ...(step.state === "failed" && step.message !== "" ? [{ depth, sign: "!", text: step.message, end: "", kind: "failed" as const }] : []),
  ];
}

function more(depth: number, text: string, { signs }: TreeStyle): Line {
  return { depth, sign: signs.more, text, end: "", kind: "more" };
}

function last<T>(items: readonly T[], count: number): readonly T[] {
  return count === 0 ? [] : items.slice(-count);
}

/** Numbers go first, then what stands last; of what failed as much stays as fits into half of the room. */
function cut(lines: readonly Line[], height: number, style: TreeStyle): readonly Line[] {
  const kept = lines.filter((line) => line.kind !== "more");
  if (kept.length <= height) return kept;
  const room = height - 1;
  const failed = kept.filter((line) => line.kind === "failed").slice(0, Math.ceil(room / 2));
  const others = kept.filter((line) => !failed.includes(line)).slice(0, room - failed.length);
  const chosen = new Set([...failed, ...others]);
  const hidden = kept.filter((line) => line.kind !== "log" && !chosen.has(line)).length;
  return [...kept.filter((line) => chosen.has(line)), more(0, `${hidden} more`, style)];
}

const INDENT = 2;

function render({ depth, sign, text, end, kind }: Line, { width, style: { paint } }: TreeLinesOptions): string {
  const indent = " ".repeat(Math.min(depth * INDENT, Math.floor(width / 3)));
  const head = fitWidth(`${indent}${sign} `, width);
  const tail = fitWidth(end, width - displayWidth(head));
  const body = fitWidth(text, width - displayWidth(head) - displayWidth(tail));
  const signed = `${indent}${paintSign(kind, sign, paint)} `;
  const isWhole = head === `${indent}${sign} `;
  const shownBody = kind === "log" || kind === "more" ? paint("dim", body) : body;
  return `${isWhole ? signed : head}${shownBody}${kind === "failed" ? paint("red", tail) : paint("dim", tail)}`;
}

function paintSign(kind: Line["kind"], sign: string, paint: TreeStyle["paint"]): string {
  const colours = { running: "yellow", done: "green", cached: "blue", canceled: "dim", failed: "red", log: "dim", more: "dim" } as const;
  return paint(colours[kind], sign);
}
