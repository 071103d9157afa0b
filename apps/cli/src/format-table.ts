/** Rows as aligned lines, two spaces between columns; no header when `head` is empty. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const all = head.length === 0 ? rows : [head, ...rows];
  const widths: number[] = [];
  for (const row of all) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return all.map((row) => row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join("  "));
}
