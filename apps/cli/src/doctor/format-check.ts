import { styleText } from "node:util";

import type { Check } from "@anyrunner/engine-container";

import { hangText } from "../wrap-text.ts";

const MARKS = { ok: ["ok", "green"], warning: ["warning", "yellow"], failed: ["failed", "red"], skipped: ["-", "dim"] } as const;

const MARK_WIDTH = 8;

/** A check as lines: mark, id, what was seen, and below it the remedy. */
export function formatCheck({ id, status, detail, remedy, ms }: Check, columns: number | undefined): readonly string[] {
  const [mark, color] = MARKS[status];
  const [first = "", ...output] = detail.split("\n");
  const margin = " ".repeat(MARK_WIDTH);
  const [head = "", ...rest] = hangText(`${mark.padEnd(MARK_WIDTH)}${id.padEnd(21)} `, `${first}${ms === undefined ? "" : ` [${ms} ms]`}`, columns);
  const label = styleText(color, head.slice(0, MARK_WIDTH), { stream: process.stdout, validateStream: true });
  const remedies = remedy?.split("\n") ?? [];
  return [
    `${label}${head.slice(MARK_WIDTH)}`,
    ...rest,
    ...output.map((line) => `${margin}| ${line}`),
    ...remedies.flatMap((line, index) => hangText(`${margin}${index === 0 ? "remedy: " : margin}`, line, columns)),
  ];
}
