export interface SummaryOptions {
  /** With secrets hidden. */
  readonly runner: string;
  readonly engine: string;
  readonly drivers: readonly string[];
}

/** What the page of the run shows of a runner that answered, in Markdown. */
export function summaryOf({ runner, engine, drivers }: SummaryOptions): string {
  const rows = [["Runner", runner], ["Engine", engine], ...(drivers.length === 0 ? [] : [["Drivers added", drivers.join(", ")]])];
  return ["### anyrunner", "", "|  |  |", "| --- | --- |", ...rows.map(([name, value = ""]) => `| ${name} | ${code(value)} |`), ""].join("\n");
}

function code(text: string): string {
  return `<code>${text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("|", "&#124;").replaceAll("\n", " ")}</code>`;
}
