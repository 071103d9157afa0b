import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";

/** One recorded connection between the official client and a real engine: the bytes of both directions. */
export interface Recording {
  /** Client to engine. */
  readonly c2s: Buffer;
  /** Engine to client. */
  readonly s2c: Buffer;
}

/** Scenarios that were recorded byte for byte; see `fixtures/captures/README.md`. */
export const RECORDED_SCENARIOS = [
  "version",
  "upload",
  "uploadFilter",
  "uploadGitignore",
  "hostFile",
  "hostMissing",
  "exportDir",
  "exportFile",
  "exec",
  "execFail",
  "secretEnv",
  "setSecret",
  "hostService",
  "hostSocket",
  "tunnel",
  "pull",
  "pullDenied",
  "pushPull",
  "clientTooOld",
] as const;

/** The name of a recorded run. */
export type RecordedScenario = (typeof RECORDED_SCENARIOS)[number];

const FOLDER = new URL("fixtures/captures/", pathToFileURL(createRequire(import.meta.url).resolve("@anyrunner/testkit/package.json")));

/**
 * Reads connection 1 (version probe), 2 (attachables), 3 (telemetry) or 4 (queries) of a scenario. Not every scenario has each:
 * connection 1 is kept in `version`, 3 in `version` and `exec`, and `clientTooOld` ends with 2.
 */
export async function readRecording(scenario: RecordedScenario, connection: 1 | 2 | 3 | 4): Promise<Recording> {
  const text = gunzipSync(await readFile(new URL(`${scenario}/conn${connection}.jsonl.gz`, FOLDER))).toString("utf8");
  const chunks = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { readonly dir: string; readonly b64?: string });
  const bytesOf = (direction: string) => Buffer.concat(chunks.filter(({ dir }) => dir === direction).map(({ b64 = "" }) => Buffer.from(b64, "base64")));
  return { c2s: bytesOf("c2s"), s2c: bytesOf("s2c") };
}

/** What the official SDK's program printed in a scenario. */
export async function readRecordedResult(scenario: RecordedScenario | "exportTarball"): Promise<string> {
  return readFile(new URL(`${scenario}/result.txt`, FOLDER), "utf8");
}
