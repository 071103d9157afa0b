import { hangText } from "./wrap-text.ts";

/**
 * Rows as aligned lines, two spaces between columns; no header when `head` is empty. With the `columns` of a terminal, the last one of the
 * table goes on below itself where it is longer.
 */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[], columns?: number): readonly string[] {
  const all = head.length === 0 ? rows : [head, ...rows];
  const widths: number[] = [];
  for (const row of all) row.slice(0, -1).forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return all.flatMap((row) => {
    const before = row.slice(0, -1).map((cell, column) => `${cell.padEnd(widths[column] ?? 0)}  `);
    return hangText(before.join(""), row.at(-1) ?? "", columns);
  });
}
