import type { RunnerEvent } from "@anyrunner/core";
import { describe, expect, test } from "vitest";

import { exportTargets } from "./export-targets.ts";
import { exportTelemetry, type SendTelemetry } from "./export-telemetry.ts";

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318/base/" };
const span = (name: string, end?: string) => ({ name, startTimeUnixNano: "10", ...(end === undefined ? {} : { endTimeUnixNano: end }) });
const traces = (...spans: readonly object[]) => ({ signal: "traces" as const, request: { resourceSpans: [{ scopeSpans: [{ spans }] }] } });

describe("exportTargets", () => {
  test("one endpoint serves all signals; what belongs to a signal wins", () => {
    const { targets, refused } = exportTargets({
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "https://logs.test/x",
      OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_HEADERS: "a=1%202, bad name=x,b=3",
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "50",
    });
    expect(targets.map(({ url, format, timeoutMs }) => [url.href, format, timeoutMs])).toEqual([
      ["http://127.0.0.1:4318/base/v1/traces", "protobuf", 50],
      ["https://logs.test/x", "json", 10_000],
      ["http://127.0.0.1:4318/base/v1/metrics", "protobuf", 10_000],
    ]);
    expect(targets[0]?.headers).toEqual({ a: "1 2", b: "3" });
    expect(refused).toEqual([]);
  });

  test.each([
    ["the SDK is disabled", { ...ENDPOINT, OTEL_SDK_DISABLED: "true" }, 0],
    ["another exporter is chosen", { ...ENDPOINT, OTEL_TRACES_EXPORTER: "none" }, 2],
    ["nothing is set", {}, 0],
  ])("when %s", (_, env, count) => {
    expect(exportTargets(env).targets).toHaveLength(count);
  });

  test("gRPC is refused by name", () => {
    expect(exportTargets({ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }).refused[0]).toEqual({
      variable: "OTEL_EXPORTER_OTLP_ENDPOINT",
      reason: "is asked for by protocol grpc",
    });
  });
});

describe("exportTelemetry", () => {
  const open = (send: SendTelemetry, env = {}) => {
    const events: RunnerEvent[] = [];
    const exported = exportTelemetry({ env: { ...ENDPOINT, ...env }, report: (event) => events.push(event), send });
    if (exported === undefined) throw new Error("nothing is exported");
    return { events, exported };
  };

  test("sends spans when they have ended, or all where that is asked for", async () => {
    for (const [env, count] of [
      [{}, 1],
      [{ OTEL_EXPORTER_OTLP_TRACES_LIVE: "1" }, 2],
    ] as const) {
      let sent = 0;
      const { exported } = open(async () => void sent++, env);
      exported.add(traces(span("runs", "11651379494838206464")));
      exported.add(traces(span("over", "20")));
      await exported.close({ budgetMs: 5000 });
      expect(sent).toBe(count);
    }
  });

  test("a receiver that fails is told, and left alone after three times", async () => {
    let asked = 0;
    const { exported, events } = open(async () => {
      asked++;
      throw new Error("status 500");
    });
    for (let time = 0; time < 10; time++) exported.add(traces(span("over", "20")));
    await exported.close({ budgetMs: 5000 });
    expect(asked).toBe(3);
    expect(new Set(events.map((event) => "id" in event && event.id))).toEqual(new Set(["telemetry-export"]));
  });

  test("a receiver that hangs is given up when the budget is spent", async () => {
    const { exported, events } = open(
      (_, __, signal) => new Promise((resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true })),
    );
    exported.add(traces(span("over", "20")));
    await exported.close({ budgetMs: 1 });
    expect(events).toMatchObject([{ type: "warning", message: expect.stringContaining("didn't answer in time") }]);
  });
});
