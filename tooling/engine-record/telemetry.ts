import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs, stripVTControlCharacters } from "node:util";

import { makeBusyboxRootfs } from "@anyrunner/testkit";

import { startOnTerminal } from "./interactive/pseudo-terminal.ts";
import { startEavesdropper, startReceiver } from "./telemetry-receiver.ts";

/**
 * What becomes of the telemetry of one program with the official SDK on an engine: shown, exported, saved, hidden. Standard output is the
 * record, in Markdown; exit code 1 when something isn't as it should be.
 *
 * Usage: node tooling/engine-record/telemetry.ts RUNNER_URL OFFICIAL_CLI [--anyrunner PROGRAM]
 * RUNNER_URL is understood by both. What the engine is told is read for unix:// only. Needs `script` of util-linux. Runs for two minutes.
 */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { anyrunner: { type: "string", default: join(import.meta.dirname, "../../apps/cli/dist/bin.js") } },
});
const [runner = "", cli = ""] = positionals;
if (cli === "") throw new Error("usage: telemetry.ts RUNNER_URL OFFICIAL_CLI [--anyrunner PROGRAM]");
const [official, ours] = [resolve(cli), resolve(values.anyrunner)];

const SECRET = "never-to-be-seen-4711";
const VARIABLES = `env | grep "^OTEL_\\|^TRACE\\|^BAGGAGE\\|^DAGGER_SESSION" | cut -d= -f1 | sort`;
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: string;
}

const folder = await realpath(await mkdtemp(join(tmpdir(), "telemetry-record-")));
const rootfs = join(folder, "rootfs");
const program = [process.execPath, join(import.meta.dirname, "telemetry-program.ts"), rootfs];
try {
  await makeBusyboxRootfs(rootfs);
  console.log(`Date ${new Date().toISOString().slice(0, 10)} · engine reached by ${runner.split("://")[0]}://\n\n| what | seen | |\n| --- | --- | --- |`);
  await recordEnvironment();
  await recordLines();
  await recordExport();
  await recordBrokenReceivers();
  await recordTraceFile();
  if (runner.startsWith("unix://")) await recordDoNotTrack();
  console.log(`\n${await recordTree()}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function recordEnvironment(): Promise<void> {
  const theirs = await run([official, "--silent", "run", "sh", "-c", VARIABLES]);
  const mine = await anyrunner(["--silent"], ["sh", "-c", VARIABLES]);
  const names = mine.stdout.trim().split("\n");
  row("names of the variables that a child gets", `${names.length}: ${names.join(", ")}`, mine.code === 0 && mine.stdout === theirs.stdout);
}

async function recordLines(): Promise<void> {
  const plain = await anyrunner(["--progress", "plain"], program);
  const lines = plain.stderr.trimEnd().split("\n");
  row("plain lines, the last", lines.at(-1), plain.code === 7 && plain.stderr === stripVTControlCharacters(plain.stderr));
  row(
    "the program's own span among them",
    lines.find((line) => line.includes("a span of the program")),
  );
  row(
    "what the step printed",
    lines.find((line) => line.includes("| knows")),
    plain.stderr.includes("knows *** and ***"),
  );
  const theirs = callsThatEnd((await run([official, "--progress", "plain", "run", ...program])).stderr);
  const mine = callsThatEnd(plain.stderr);
  row("calls that end in `dagger --progress plain run`, and here", theirs.join(", "), theirs.length > 0 && theirs.every((name) => mine.includes(name)));

  const json = await anyrunner(["--progress", "json"], program);
  const types = json.stderr.trim().split("\n");
  const counts = Map.groupBy(types, (line) => (JSON.parse(line) as { readonly type: string }).type);
  const told = [...counts].map(([type, { length }]) => `${type} ${length}`).join(", ");
  row("`--progress json`", told, types.at(-1)?.startsWith('{"type":"summary"'));
  const quiet = await anyrunner(["--quiet"], program);
  row("`--quiet` on standard error", quiet.stderr === "" ? "nothing" : quiet.stderr, quiet.stderr === "" && quiet.code === 7);
  hides("the lines", plain.stderr + json.stderr);
}

async function recordExport(): Promise<void> {
  const receiver = await startReceiver("takes");
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_HEADERS: "x-record=yes",
    TRACEPARENT: `00-${TRACE}-00f067aa0ba902b7-01`,
  };
  const { code } = await anyrunner(["--silent"], program, env);
  receiver.close();
  const paths = [...new Set(receiver.requests.map(({ path }) => path))].sort();
  const bodies = receiver.requests.map(({ body }) => body).join("\n");
  const traces = new Set(bodies.match(/"traceId":"[^"]*"/g));
  row("`OTEL_EXPORTER_OTLP_ENDPOINT`", paths.join(", "), code === 7 && paths.length === 3);
  row(
    "the header of `_HEADERS`",
    "with each request",
    receiver.requests.every(({ headers }) => headers["x-record"] === "yes"),
  );
  row(
    "one trace, that of `TRACEPARENT`, with the program's span",
    [...traces].join(),
    traces.size === 1 && traces.has(`"traceId":"${TRACE}"`) && bodies.includes("a span of the program"),
  );
  hides("what was sent", bodies);
}

async function recordBrokenReceivers(): Promise<void> {
  for (const [behaviour, env] of [
    ["hangs", {}],
    ["hangs", { OTEL_EXPORTER_OTLP_TIMEOUT: "800" }],
    ["fails", {}],
  ] as const) {
    const receiver = await startReceiver(behaviour);
    const { code, stderr, seconds } = await anyrunner(["--progress", "plain"], program, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...env });
    receiver.close();
    const warnings = stderr.split("\n").filter((line) => line.startsWith("warning: "));
    const timeout = Object.keys(env).length === 0 ? "" : ", `OTEL_EXPORTER_OTLP_TIMEOUT=800`";
    row(`a receiver that ${behaviour}${timeout}`, `exit code ${code} after ${seconds}; ${warnings.join(" ")}`, code === 7 && warnings.length === 1);
  }
}

async function recordTraceFile(): Promise<void> {
  const file = join(folder, "trace.jsonl");
  const { code } = await anyrunner(["--silent", "--trace-file", file], program);
  const saved = await readFile(file, "utf8");
  const mode = ((await stat(file)).mode & 0o777).toString(8);
  const kinds = new Set(
    saved
      .trim()
      .split("\n")
      .map((line) => Object.keys(JSON.parse(line) as object).join()),
  );
  row("`--trace-file`", `mode ${mode}; ${[...kinds].sort().join(", ")}`, code === 7 && mode === "600" && kinds.size === 3);
  hides("the file", saved);
}

async function recordDoNotTrack(): Promise<void> {
  const path = join(folder, "heard.sock");
  const told: unknown[] = [];
  for (const command of [
    [official, "--silent", "run", "true"],
    [process.execPath, ours, "run", "--silent", "true"],
  ]) {
    const eavesdropper = await startEavesdropper(runner.slice("unix://".length), path);
    await run(command, { DO_NOT_TRACK: "1", _EXPERIMENTAL_DAGGER_RUNNER_HOST: `unix://${path}` });
    eavesdropper.close();
    told.push((eavesdropper.told() as { readonly do_not_track?: unknown } | undefined)?.do_not_track);
  }
  row(
    "`DO_NOT_TRACK=1`, as the engine is told by both",
    `do_not_track: ${told.join(", ")}`,
    told.every((value) => value === true),
  );
}

async function recordTree(): Promise<string> {
  const env = { RECORD_SECRET: SECRET, NO_COLOR: "1", LANG: "C.UTF-8" };
  const terminal = await startOnTerminal([process.execPath, ours, "run", "--runner", runner, "--", ...program], {
    cwd: folder,
    env,
    columns: 90,
    rows: 24,
  });
  const { code, restored } = await terminal.end();
  // Without the two-character sequences first: the letter behind one would be taken along.
  const shown = stripVTControlCharacters(terminal.seen().replaceAll(/\u001b[78D]|\r/g, ""));
  const isWhole = ["the program prints\n", "slept\n", "a step failed\n"].every((text) => shown.includes(text));
  row(
    "the tree on a terminal of 90 by 24",
    `exit code ${code}, the terminal as before: ${restored}, the program's lines whole: ${isWhole}`,
    code === 7 && restored && isWhole,
  );
  hides("the terminal", shown);
  const tree = shown.slice(shown.lastIndexOf("✗ a span of the program"), -1) || shown.slice(shown.lastIndexOf("✓ a span of the program"), -1);
  return `The tree that stays:\n\n\`\`\`\n${tree.replaceAll(folder, "…")}\n\`\`\``;
}

/** Neither the value nor its base64, wherever that begins in it. */
function hides(where: string, text: string): void {
  const forms = [0, 1, 2].map((skip) => Buffer.from(SECRET).subarray(skip).toString("base64").slice(0, -4));
  row(`the secret in ${where}`, "nowhere", ![SECRET, ...forms].some((form) => text.includes(form)));
}

/** Steps of one object, such as `Container.withExec`. */
function callsThatEnd(lines: string): readonly string[] {
  const ended = stripVTControlCharacters(lines).matchAll(/^\d+ *: (?:┆ )*((?!Query\.)\w+\.\w+) (?:DONE|CACHED|ERROR) \[/gm);
  return [...new Set([...ended].map(([, name = ""]) => name))].sort();
}

function row(what: string, seen: string | undefined, isRight = seen !== undefined): void {
  if (!isRight) process.exitCode = 1;
  const shown = (seen ?? "nothing")
    .replaceAll(folder, "…")
    .replaceAll("|", "\\|")
    .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
    .replaceAll(/\s+/g, " ");
  console.log(`| ${what} | ${shown} | ${isRight ? "as it should be" : "**not as it should be**"} |`);
}

function anyrunner(options: readonly string[], command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return run([process.execPath, ours, "run", "--runner", runner, ...options, "--", ...command], env);
}

async function run([command = "", ...args]: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const begun = performance.now();
  const variables = { _EXPERIMENTAL_DAGGER_RUNNER_HOST: runner, DAGGER_NO_NAG: "1", NO_COLOR: "1", RECORD_SECRET: SECRET, ...env };
  const child = spawn(command, args, { cwd: folder, env: { ...process.env, ...variables }, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr, seconds: `${((performance.now() - begun) / 1000).toFixed(1)} s` };
}
