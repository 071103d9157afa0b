import { EventEmitter } from "node:events";

import type { TelemetryBatch } from "@anyrunner/engine";
import { describe, expect, test } from "vitest";

import type { CommandContext } from "../command-context.ts";
import { openCliTelemetry } from "./open-cli-telemetry.ts";
import { createTestTerminal } from "./test-terminal.ts";

const context = (more: Partial<CommandContext>): CommandContext => ({
  env: {},
  cwd: "/",
  json: false,
  progress: "auto",
  telemetryFile: undefined,
  version: "1.2.3",
  columns: undefined,
  report: () => {},
  print: () => {},
  note: () => {},
  ...more,
});
const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" };

test.each([
  ["nobody looks", {}, false],
  ["it is shown", { progress: "plain" }, true],
  ["it is exported", { env: endpoint }, true],
  ["the exporter is switched off", { env: { ...endpoint, OTEL_SDK_DISABLED: "true" } }, false],
  ["the only receiver can't be used", { env: { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" } }, false],
] as const)("when %s: is telemetry wanted", async (_, more, isWanted) => {
  const telemetry = await openCliTelemetry(context(more), { name: "test", write: () => {} });
  expect(telemetry.onBatch !== undefined).toBe(isWanted);
  await telemetry.close();
});

/** The stream of a terminal; what is written to it is on the screen when `settled` has resolved. */
function terminalStream(columns: number, rows: number) {
  const screen = createTestTerminal(columns, rows);
  let settled = Promise.resolve();
  const stream = Object.assign(new EventEmitter(), {
    isTTY: true,
    columns,
    rows,
    write: (text: string) => void (settled = settled.then(() => screen.write(text.replaceAll("\n", "\r\n")))),
  });
  return { stream, screen, settled: () => settled };
}

const id = (text: string) => Buffer.from(text.padEnd(8, "0")).toString("base64");
const spans = (...list: readonly object[]): TelemetryBatch => ({ signal: "traces", request: { resourceSpans: [{ scopeSpans: [{ spans: list }] }] } });
const running = { startTimeUnixNano: "2000000000", endTimeUnixNano: "0" };
const done = { startTimeUnixNano: "2000000000", endTimeUnixNano: "3500000000" };
const logs = (spanId: string, text: string): TelemetryBatch => ({
  signal: "logs",
  request: { resourceLogs: [{ scopeLogs: [{ logRecords: [{ spanId: id(spanId), timeUnixNano: "5", body: { stringValue: text } }] }] }] },
});

describe("on a terminal", () => {
  test("a tree is drawn; at the end the last one stays, with the summary", async () => {
    const { stream, screen, settled } = terminalStream(60, 20);
    const telemetry = await openCliTelemetry(context({ progress: "tty", env: { LANG: "C.UTF-8" } }), {
      name: "test",
      write: () => {},
      terminal: stream,
      now: () => 0,
    });
    stream.write("half a line of the program");
    telemetry.begin({ traceId: "0".repeat(32), spanId: "1".repeat(16) });
    telemetry.onBatch?.(spans({ spanId: id("a"), name: "build", ...running }));
    telemetry.onBatch?.(logs("a", "compiling\n"));
    await expect.poll(() => screen.screen().join("\n"), { timeout: 60_000 }).toMatch(/build \d.*\n  │ compiling/);
    telemetry.onBatch?.(spans({ spanId: id("a"), name: "build", ...done }));
    await telemetry.close();
    await settled();
    expect(screen.lines().map((line) => line.trimEnd())).toEqual(["half a line of the program", "✓ build 1.5s", "1 step in 0.0s"]);
    expect(stream.eventNames()).toEqual([]);
  });

  test("that can't be drawn on there are plain lines", async () => {
    const { stream } = terminalStream(60, 20);
    const lines: string[] = [];
    const telemetry = await openCliTelemetry(context({ progress: "tty", env: { TERM: "dumb" } }), {
      name: "test",
      write: (line) => lines.push(line),
      terminal: stream,
    });
    expect(telemetry.isDrawn).toBe(false);
    telemetry.onBatch?.(spans({ spanId: id("a"), name: "build", ...running }));
    await telemetry.close();
    expect(lines).toEqual(["1   : build"]);
  });
});

test.each(["plain", "json"] as const)("a secret that is known appears in no %s line", async (progress) => {
  const lines: string[] = [];
  const telemetry = await openCliTelemetry(context({ progress }), { name: "test", write: (line) => lines.push(line) });
  telemetry.hide("hunter22");
  telemetry.onBatch?.(spans({ spanId: id("a"), name: "say hunter22", ...done }));
  telemetry.onBatch?.(logs("a", "hunter22\n"));
  await telemetry.close();
  expect(lines.join("\n")).toContain("say ***");
  expect(lines.join("\n")).not.toContain("hunter22");
});
