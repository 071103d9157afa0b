import { readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Compares two outputs of sdk-suites.sh test by test. Standard output is the record, in Markdown; exit code 1 when a test
 * ended otherwise.
 *
 * Usage: node tooling/engine-record/compare-suites.ts OUTPUT_OF_THEIRS OUTPUT_OF_OURS
 */
type Results = ReadonlyMap<string, string>;

const READERS: Readonly<Record<string, (folder: string) => Promise<Results>>> = {
  TypeScript: async (folder) => {
    const { tests, pending } = JSON.parse(await readFile(join(folder, "typescript.json"), "utf8")) as MochaReport;
    const skipped = new Set(pending.map(({ fullTitle }) => fullTitle));
    return new Map(tests.map(({ fullTitle, err }) => [fullTitle, skipped.has(fullTitle) ? "skip" : Object.keys(err).length > 0 ? "fail" : "pass"]));
  },
  Python: async (folder) => {
    const xml = await readFile(join(folder, "python.xml"), "utf8");
    const cases = xml.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g);
    return new Map(Array.from(cases, ([, file = "", name = "", body = ""]) => [`${file}::${name}`, outcomeOf(body)]));
  },
  Go: async (folder) => {
    const lines = (await readFile(join(folder, "go.json"), "utf8")).split("\n").filter((line) => line.startsWith("{"));
    const events = lines.map((line) => JSON.parse(line) as { readonly Action: string; readonly Test?: string });
    return new Map(events.flatMap(({ Action, Test }) => (Test !== undefined && ["pass", "fail", "skip"].includes(Action) ? [[Test, Action] as const] : [])));
  },
};

interface MochaReport {
  readonly tests: readonly { readonly fullTitle: string; readonly err: object }[];
  readonly pending: readonly { readonly fullTitle: string }[];
}

const [theirs = "", ours = ""] = process.argv.slice(2);
if (theirs === "" || ours === "") throw new Error("usage: compare-suites.ts OUTPUT_OF_THEIRS OUTPUT_OF_OURS");
const rows: string[] = [];
const failing: string[] = [];
for (const [suite, read] of Object.entries(READERS)) {
  const [official, mine] = await Promise.all([read(theirs), read(ours)]);
  const names = [...new Set([...official.keys(), ...mine.keys()])];
  const different = names.filter((name) => official.get(name) !== mine.get(name));
  if (different.length > 0) process.exitCode = 1;
  rows.push(`| ${suite} | ${names.length} | ${counts(official)} | ${counts(mine)} | ${different.length === 0 ? "none" : different.join(", ")} |`);
  failing.push(...names.filter((name) => official.get(name) === "fail" && mine.get(name) === "fail").map((name) => `- ${suite}: ${name}`));
}
console.log(
  `| SDK | tests | official session | anyrunner session | different |\n| --- | --- | --- | --- | --- |\n${rows.join("\n")}\n\nFailing in both:\n\n${failing.join("\n")}`,
);

function outcomeOf(body: string): string {
  if (/<(?:failure|error)\b/.test(body)) return "fail";
  return /<skipped\b/.test(body) ? "skip" : "pass";
}

function counts(results: Results): string {
  const of = (outcome: string) => [...results.values()].filter((one) => one === outcome).length;
  return `${of("pass")} passed, ${of("fail")} failed, ${of("skip")} skipped`;
}
