import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** Sessions of the official client with a real engine; their README says what each one shows. */
const CAPTURES = new URL("../../testkit/fixtures/captures/", import.meta.url);

export interface RecordedChunk {
  readonly from: "client" | "engine";
  readonly bytes: Buffer;
}

/** Names of the scenarios whose attachables were recorded. */
export function recordedScenarios(): readonly string[] {
  return readdirSync(CAPTURES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && readdirSync(new URL(entry.name, CAPTURES)).includes("conn2.jsonl.gz"))
    .map((entry) => entry.name);
}

/** Every chunk of one recorded stream, in order. */
export function recordedChunks(scenario: string, connection: string): readonly RecordedChunk[] {
  const lines = gunzipSync(readFileSync(new URL(`${scenario}/${connection}.jsonl.gz`, CAPTURES)))
    .toString("utf8")
    .trim()
    .split("\n");
  return lines.flatMap((line) => {
    const { dir, b64 } = JSON.parse(line) as { dir: string; b64?: string };
    return b64 === undefined || !["c2s", "s2c"].includes(dir)
      ? []
      : [{ from: dir === "c2s" ? "client" : "engine", bytes: Buffer.from(b64, "base64") } as const];
  });
}

export interface RecordedCall {
  readonly path: string;
  /** Headers without the pseudo ones; values may be cut. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Messages of the engine as the transcript prints them; may be cut. */
  readonly messages: readonly string[];
  /** Bytes of the engine's DATA frames. */
  readonly dataBytes: number;
}

/** The engine's calls, as the transcript of the attachables tells them; its lines are cut at 600 characters. */
export function recordedCalls(scenario: string): readonly RecordedCall[] {
  const calls = new Map<string, { path: string; headers: [string, string][]; messages: string[]; dataBytes: number }>();
  let current: { messages: string[] } | undefined;
  for (const line of readFileSync(new URL(`${scenario}/conn2.txt`, CAPTURES), "utf8").split("\n")) {
    const frame = /^ *[\d.]+ <- \[(\d+)\] (HEADERS|DATA)(?: END_STREAM)? (.*)$/.exec(line);
    const message = /^ +msg (.*)$/.exec(line)?.[1];
    if (frame !== null) {
      const [, stream = "", type, text = ""] = frame;
      if (type === "HEADERS") calls.set(stream, parseHeaders(text));
      else (calls.get(stream) as { dataBytes: number }).dataBytes += Number(/^\d+/.exec(text)?.[0]);
      current = calls.get(stream);
    } else if (message !== undefined) current?.messages.push(message);
    else current = undefined;
  }
  return [...calls.values()];
}

function parseHeaders(text: string): { path: string; headers: [string, string][]; messages: string[]; dataBytes: number } {
  const pairs = text.split("; ").map((pair): [string, string] => {
    const colon = pair.indexOf(": ", 1);
    return [pair.slice(0, colon), pair.slice(colon + 2)];
  });
  const path = pairs.find(([name]) => name === ":path")?.[1] ?? "";
  return { path, headers: pairs.filter(([name]) => !name.startsWith(":") && name !== ""), messages: [], dataBytes: 0 };
}
