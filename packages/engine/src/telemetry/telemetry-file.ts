import { randomBytes } from "node:crypto";
import { unlinkSync } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";

import type { Reporter } from "@anyrunner/core";
import { loadOtlpCodec } from "@anyrunner/protocol";

import { filterBatch, type TelemetryBatch } from "./batch.ts";
import type { TelemetryExport } from "./export-telemetry.ts";
import { isRunning } from "./records.ts";

const MOST_WAITING = 10_000;

/**
 * Saves telemetry as OTLP JSON, one export request a line, spans when they have ended. The file appears with its name only when all is
 * in it, readable for its user alone; there is none where there was no telemetry, as of a session that couldn't be opened; `close` writes what waits to its end, without a budget: a disk is no receiver that hangs.
 * Never throws; what goes wrong is told once.
 */
export function saveTelemetry(path: string, report: Reporter): TelemetryExport {
  const part = `${path}.${randomBytes(6).toString("hex")}.part`;
  const removePart = () => {
    try {
      unlinkSync(part);
    } catch {
      // It was never made, or is gone.
    }
  };
  process.once("exit", removePart);
  const warn = (message: string) => report({ type: "warning", id: "telemetry-file", message });
  const file = open(part, "wx", 0o600);
  const codec = loadOtlpCodec();
  let waiting = 0;
  let isEmpty = true;
  let failed: unknown;
  let last: Promise<void> = file.then(
    () => {},
    (error: unknown) => void (failed = error),
  );
  return {
    add(batch: TelemetryBatch) {
      const wanted = batch.signal === "traces" ? filterBatch(batch, (span) => !isRunning(span)) : batch;
      if (wanted === undefined || failed !== undefined) return;
      if (waiting >= MOST_WAITING) return warn(`${path} lacks some telemetry: the disk is too slow`);
      waiting++;
      isEmpty = false;
      last = last
        .then(async () => (await file).appendFile(`${(await codec).toOtlpJson(wanted.signal, wanted.request)}\n`))
        .catch((error: unknown) => void (failed ??= error))
        .finally(() => waiting--);
    },
    async close() {
      await last;
      await file.then((handle) => handle.close()).catch(() => {});
      if (failed === undefined && !isEmpty) await rename(part, path).catch((error: unknown) => void (failed = error));
      if (failed !== undefined || isEmpty) await unlink(part).catch(() => {});
      if (failed !== undefined) warn(`telemetry can't be saved in ${path} (${(failed as NodeJS.ErrnoException).code ?? "unknown"})`);
      process.off("exit", removePart);
    },
  };
}
