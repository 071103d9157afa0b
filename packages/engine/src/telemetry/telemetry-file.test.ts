import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RunnerEvent } from "@anyrunner/core";
import { expect, test } from "vitest";

import { saveTelemetry } from "./telemetry-file.ts";

test("a file of OTLP JSON lines, for its user alone, that appears when it is whole", async () => {
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-telemetry-"));
  const path = join(folder, "trace.jsonl");
  const events: RunnerEvent[] = [];
  const file = saveTelemetry(path, (event) => events.push(event));
  const ended = { traceId: "CvdlGRbNQ92ESOshHIAxnA==", name: "a", startTimeUnixNano: "1", endTimeUnixNano: "2", kind: "SPAN_KIND_INTERNAL" };
  file.add({ signal: "traces", request: { resourceSpans: [{ scopeSpans: [{ spans: [ended, { name: "runs", startTimeUnixNano: "1" }] }] }] } });
  expect(await readdir(folder)).not.toContain("trace.jsonl");
  await file.close({ budgetMs: 0 });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(path, "utf8"))).toEqual({
    resourceSpans: [{ scopeSpans: [{ spans: [{ ...ended, traceId: "0af7651916cd43dd8448eb211c80319c", kind: 1 }] }] }],
  });
  expect(await readdir(folder)).toEqual(["trace.jsonl"]);
  expect(events).toEqual([]);
  await rm(folder, { recursive: true });
});

test("a file that can't be written is told, and changes nothing else", async () => {
  const events: RunnerEvent[] = [];
  await saveTelemetry("/no/such/folder/trace.jsonl", (event) => events.push(event)).close({ budgetMs: 0 });
  expect(events).toMatchObject([{ type: "warning", message: expect.stringContaining("ENOENT") }]);
});

test("without telemetry there is no file, and the one that was there stays", async () => {
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-telemetry-"));
  const path = join(folder, "trace.jsonl");
  await writeFile(path, "of an earlier run");
  const events: RunnerEvent[] = [];
  await saveTelemetry(path, (event) => events.push(event)).close({ budgetMs: 0 });
  expect(await readFile(path, "utf8")).toBe("of an earlier run");
  expect(await readdir(folder)).toEqual(["trace.jsonl"]);
  expect(events).toEqual([]);
  await rm(folder, { recursive: true });
});
