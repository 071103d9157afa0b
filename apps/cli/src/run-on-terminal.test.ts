import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { createEngineDouble, type EngineDouble } from "@anyrunner/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { createCliHarness, streamsClosed, type CliHarness } from "./test-cli.ts";
import { noPseudoTerminal, startOnTerminal } from "./test-pseudo-terminal.ts";

const reason = noPseudoTerminal();
const PATIENCE = { timeout: 60_000 };

/** A program that tells of a step, as programs with an SDK of OpenTelemetry do, and then does what `then` says. */
const program = (then: string) => `
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url, TRACEPARENT: parent } = process.env;
  const [, traceId, parentSpanId] = parent.split("-");
  const step = (spanId, name, more) => fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ traceId, parentSpanId, spanId, name, startTimeUnixNano: "1000000000", ...more }] }] }] }),
  });
  const running = { endTimeUnixNano: "0" };
  const done = { endTimeUnixNano: "2000000000" };
  const line = () => new Promise((resolve) => process.stdin.once("data", (data) => resolve(String(data).trim())));
  ${then}
  process.exit(process.exitCode);`;

describe.skipIf(reason !== undefined)(`run on a terminal${reason === undefined ? "" : ` (${reason})`}`, () => {
  let cli: CliHarness;
  let double: EngineDouble;
  let runner: string;
  beforeAll(async () => {
    cli = await createCliHarness();
  });
  afterAll(() => cli.remove());
  beforeEach(async () => {
    double = createEngineDouble();
    runner = await double.listen();
  });
  afterEach(async () => {
    await streamsClosed(double);
    await double.kill();
  });

  const start = (flags: readonly string[], command: readonly string[], env?: Readonly<Record<string, string>>) =>
    startOnTerminal({ args: ["run", "--runner", runner, ...flags, "--", ...command], home: cli.home, env });
  const node = (then: string) => [process.execPath, "--input-type=module", "--eval", program(then)];
  /** The scrolling of the whole screen and the cursor are the last things that were set. */
  const isRestored = (output: string) =>
    output.lastIndexOf("\u001b[r") > Math.max(...[...output.matchAll(/\u001b\[1;\d+r/g)].map(({ index }) => index)) &&
    !output.slice(output.lastIndexOf("\u001b[?25")).startsWith("\u001b[?25l");

  test("a tree stands below what the program prints, which has the terminal for itself; the last tree and the times stay", async () => {
    const then = `
      console.log("terminal:", process.stdin.isTTY, process.stdout.isTTY, process.stderr.isTTY, process.env.DAGGER_PROGRESS);
      await step("aaaaaaaaaaaaaaaa", "build\\u001b[2J it", running);
      for (let index = 0; index < 50; index++) console.log("line", index);
      process.stderr.write("name? ");
      console.log("hello", await line());
      await step("aaaaaaaaaaaaaaaa", "build it", done);
      process.exitCode = 7;`;
    const { terminal, output, type, ended } = await start([], node(then));
    await vi.waitFor(() => {
      expect(terminal.screen().join("\n")).toMatch(/^─── 0 done, .*\n\S build it \d/m);
      expect(terminal.screen().join("\n")).toMatch(/^line 49\nname\?/m);
    }, PATIENCE);
    type("Ada\r");
    expect(await ended).toBe(7);
    expect(terminal.lines().map((line) => line.trimEnd())).toEqual([
      `runner ${runner} · engine v0.21.8 · from flag --runner`,
      "terminal: true true true plain",
      ...Array.from({ length: 50 }, (_, index) => `line ${index}`),
      "name? Ada",
      "hello Ada",
      "✓ build it 1.0s",
      expect.stringMatching(/^1 step in \d+\.\ds$/),
    ]);
    expect(isRestored(output())).toBe(true);
  });

  test("Ctrl-C reaches the program, and the terminal is as it was", async () => {
    const then = `
      process.on("SIGINT", () => { console.log("interrupted"); process.exit(5); });
      await step("aaaaaaaaaaaaaaaa", "build it", running);
      console.log("ready");
      await new Promise((resolve) => setTimeout(resolve, 600_000));`;
    const { terminal, output, type, ended } = await start([], node(then));
    await vi.waitFor(() => expect(terminal.screen().join("\n")).toMatch(/^ready\n(.*\n)*.*build it \d/m), PATIENCE);
    type("\u0003");
    expect(await ended).toBe(5);
    expect(isRestored(output())).toBe(true);
    expect(terminal.lines()).toContain("^Cinterrupted");
  });

  test("a command that is asked to end twice leaves the terminal as it was", async () => {
    const then = `
      process.on("SIGTERM", () => console.log("not yet"));
      await step("aaaaaaaaaaaaaaaa", "build it", running);
      console.log("parent", process.ppid);
      await new Promise((resolve) => setTimeout(resolve, 600_000));`;
    const { terminal, output, ended } = await start(["--cleanup-timeout", "300ms"], node(then));
    await vi.waitFor(() => expect(terminal.screen().join("\n")).toMatch(/^parent \d+\n(.*\n)*.*build it \d/m), PATIENCE);
    const pid = Number(/^parent (\d+)/m.exec(terminal.lines().join("\n"))?.[1]);
    process.kill(pid, "SIGTERM");
    await vi.waitFor(() => expect(output()).toContain("not yet"), PATIENCE);
    process.kill(pid, "SIGTERM");
    expect(await ended).toBe(137);
    expect(isRestored(output())).toBe(true);
  });

  test("whoever interrupts the farewell gets the terminal as it was", async () => {
    double.setFaults([{ at: "shutdown", action: "hang" }]);
    const { terminal, output, ended } = await start([], node(`await step("aaaaaaaaaaaaaaaa", "build it", running); console.log("parent", process.ppid);`));
    await vi.waitFor(() => expect(double.count("shutdown")).toBe(1), PATIENCE);
    await vi.waitFor(() => expect(terminal.screen().join("\n")).toMatch(/^parent \d+\n(.*\n)*.*build it \d/m), PATIENCE);
    process.kill(Number(/^parent (\d+)/m.exec(terminal.lines().join("\n"))?.[1]), "SIGTERM");
    expect(await ended).toBe(130);
    expect(isRestored(output())).toBe(true);
    expect(terminal.lines().slice(1)).toEqual([expect.stringMatching(/^parent/)]);
  });

  test("an engine that goes away ends the tree, and the error stands behind it", async () => {
    const then = `
      await step("aaaaaaaaaaaaaaaa", "build it", running);
      console.log("ready");
      await new Promise((resolve) => setTimeout(resolve, 600_000));`;
    const { terminal, output, ended } = await start([], node(then));
    await vi.waitFor(() => expect(terminal.screen().join("\n")).toMatch(/^ready\n(.*\n)*.*build it \d/m), PATIENCE);
    await double.kill();
    expect(await ended).toBe(1);
    expect(isRestored(output())).toBe(true);
    expect(terminal.lines().join("\n")).toMatch(/^ready *\n(.*\n)*\S build it .*\n(.*\n)*error: /m);
  });

  test.each([
    [["--progress", "plain"], {}],
    [[], { CI: "true" }],
    [[], { TERM: "dumb" }],
  ])("plain lines with %j and %j", async (flags, env) => {
    const { terminal, output, ended } = await start(flags, node(`await step("aaaaaaaaaaaaaaaa", "build it", done);`), env);
    expect(await ended).toBe(0);
    expect(terminal.lines().slice(1)).toEqual(["1   : build it", "1   : build it DONE [1.0s]", expect.stringMatching(/^1 step in /)]);
    expect(output()).not.toContain("\u001b");
  });

  test.each([[["--quiet"]], [["-q"]], [["--progress", "quiet"]]])("%j leaves the program's own output alone", async (flags) => {
    const { terminal, ended } = await start(flags, node(`await step("aaaaaaaaaaaaaaaa", "build it", done); console.log("mine");`));
    expect(await ended).toBe(0);
    expect(terminal.lines()).toEqual(["mine"]);
  });

  test("a program that draws itself has the whole terminal; the tree comes at the end", async () => {
    const folder = join(cli.home, "bin");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "dagger"), `#!/bin/sh\necho "progress=$DAGGER_PROGRESS"\nexec "$@"\n`, { mode: 0o755 });
    const then = `
      await step("aaaaaaaaaaaaaaaa", "build it", done);
      await new Promise((resolve) => setTimeout(resolve, 500));
      console.log("over");`;
    const { terminal, output, ended } = await start([], [join(folder, "dagger"), ...node(then)]);
    expect(await ended).toBe(0);
    expect(
      terminal
        .lines()
        .slice(1)
        .map((line) => line.trimEnd()),
    ).toEqual(["progress=", "over", "✓ build it 1.0s", expect.stringMatching(/^1 step in /)]);
    const [, whileItRan = ""] = /progress=([^]*)over/.exec(output()) ?? [];
    expect(whileItRan).not.toContain("\u001b");
  });
});
