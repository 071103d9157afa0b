import { expect, test } from "vitest";

import type { CommandContext } from "../command-context.ts";
import { openCliTelemetry } from "./open-cli-telemetry.ts";

const context = (more: Partial<CommandContext>): CommandContext => ({
  env: {},
  cwd: "/",
  json: false,
  progress: "auto",
  telemetryFile: undefined,
  version: "1.2.3",
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
