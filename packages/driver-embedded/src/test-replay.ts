import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, lstat, rm, symlink, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";

import type { EngineSession } from "@anyrunner/engine";
import { readText } from "@anyrunner/protocol";

/** A core-API program and what a real engine 0.21.8 answered to it; the format is told in the folder of the cases. */
export interface RecordedCase {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly expect: unknown;
  readonly normalise?: readonly string[];
}

// eslint-disable-next-line typescript/no-explicit-any -- recorded JSON of many shapes
type Json = any;
type Step = Readonly<Record<string, Json>>;

export interface ReplayOptions {
  readonly session: EngineSession;
  /** The folder that the cases read: `src`, `rootfs`, `secret.txt`. */
  readonly fixture: string;
  /** A word that keeps the cache keys of this run apart from others. */
  readonly run: string;
}

/** What the engine answers to a case now, normalised as its recording was. */
export async function replayCase(test: RecordedCase, { session, fixture, run }: ReplayOptions): Promise<unknown> {
  const out = await mkdtemp(join(tmpdir(), "anyrunner-replay-"));
  const places: Record<string, string> = { FIX: fixture, REG: "127.0.0.1:5999", RUN: run, OUT: out };
  const saved: Record<string, Json> = {};
  try {
    let answer: Json;
    for (const [index, step] of test.steps.entries()) {
      const { save, relate, show, ...rest } = step;
      const filled = { ...(fill(rest, { ...places, ...saved }) as Step), ...(relate === undefined ? {} : { relate }), ...(show === undefined ? {} : { show }) };
      answer = await perform(filled, saved, session);
      if (answer.errors && index < test.steps.length - 1 && !step["mayFail"]) {
        answer = { step: index, ...answer };
        break;
      }
      for (const [name, route] of Object.entries((save ?? {}) as Record<string, string>))
        saved[name] = route.split(".").reduce((at: Json, key) => at?.[key], answer);
    }
    return (test.normalise ?? []).reduce((value, name) => normalisers[name]?.(value, places) ?? value, answer as unknown);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

export function isAnswered(test: RecordedCase, answer: unknown): boolean {
  return isDeepStrictEqual(test.expect, answer);
}

async function perform(step: Step, saved: Readonly<Record<string, Json>>, session: EngineSession): Promise<Json> {
  if ("query" in step || "raw" in step) return ask(step, session);
  if ("tree" in step) return { tree: await listTree(step["tree"]) };
  if ("relate" in step) return { relate: step["relate"].map(([a, b]: [string, string]) => saved[a] === saved[b]) };
  if ("show" in step) return { show: Object.fromEntries(step["show"].map((name: string) => [name, saved[name] ?? null])) };
  if ("write" in step) {
    await mkdir(dirname(step["write"]), { recursive: true });
    if (step["link"] !== undefined) await symlink(step["link"], step["write"]);
    else if (step["folder"]) await mkdir(step["write"], { recursive: true });
    else await writeFile(step["write"], step["contents"] ?? "", step["latin1"] ? "latin1" : "utf8");
    if (step["mode"]) await chmod(step["write"], Number.parseInt(step["mode"], 8));
    return { written: true };
  }
  throw new Error(`a step that can't be replayed: ${Object.keys(step).join(", ")}`);
}

async function ask({ query, variables, operationName, raw, method }: Step, session: EngineSession): Promise<Json> {
  const body = raw ?? JSON.stringify({ query, variables, operationName });
  const response = await session.request({
    method: method ?? "POST",
    path: "/query",
    headers: { "content-type": "application/json" },
    ...(method === "GET" ? {} : { body }),
  });
  const answer = JSON.parse(await readText(response.body, { limitBytes: 64 * 1024 * 1024 })) as Json;
  return {
    ...(response.status === 200 ? {} : { status: response.status }),
    ...("data" in answer ? { data: answer.data } : {}),
    ...(answer.errors
      ? {
          errors: answer.errors.map((error: Json) => ({
            message: error.message,
            ...(error.path ? { path: error.path } : {}),
            ...(error.extensions ? { extensions: error.extensions } : {}),
          })),
        }
      : {}),
  };
}

/** Everything below a folder (or one file): type, mode, and contents when they are short text. */
async function listTree(root: string): Promise<string[] | null> {
  const lines: string[] = [];
  const visit = async (file: string, name: string): Promise<void> => {
    const stat = await lstat(file);
    const mode = (stat.mode & 0o7777).toString(8).padStart(4, "0");
    if (stat.isSymbolicLink()) lines.push(`${name} -> ${await readlink(file)}`);
    else if (stat.isDirectory()) {
      if (name !== "") lines.push(`${name}/ ${mode}`);
      for (const child of (await readdir(file)).toSorted()) await visit(join(file, child), name === "" ? child : `${name}/${child}`);
    } else {
      const data = await readFile(file);
      lines.push(`${name || "."} ${mode} ${data.length <= 200 ? JSON.stringify(data.toString("latin1")) : `${data.length} bytes`}`);
    }
  };
  const there = await lstat(root).catch(() => undefined);
  if (there === undefined) return null;
  await visit(root, "");
  return lines;
}

/** Puts saved values and places into a step: `$d` alone, `${d}` anywhere. */
function fill(value: Json, names: Readonly<Record<string, Json>>): Json {
  if (typeof value === "string") {
    const whole = /^\$(\w+)$/.exec(value);
    if (whole !== null && (whole[1] as string) in names) return names[whole[1] as string];
    return value.replaceAll(/\$\{(\w+)\}/g, (all, name: string) => (name in names ? names[name] : all));
  }
  return mapJson(value, (item) => fill(item, names));
}

function mapJson(value: Json, change: (item: Json, key?: string) => Json): Json {
  if (Array.isArray(value)) return value.map((item) => change(item));
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item, key)]));
  return value;
}

function mapStrings(value: Json, change: (text: string, key?: string) => string, key?: string): Json {
  return typeof value === "string" ? change(value, key) : mapJson(value, (item, name) => mapStrings(item, change, name ?? key));
}

const INJECTED = /^(OTEL_|TRACEPARENT=|BAGGAGE=|TRACESTATE=)/;

const normalisers: Readonly<Record<string, (value: Json, places: Readonly<Record<string, string>>) => Json>> = {
  traceparent: (value) => mapStrings(value, (text) => text.replaceAll(/ ?\[traceparent:[0-9a-f-]+\]/g, "")),
  ids: (value) => mapStrings(value, (text, key) => (/^(id|sync)$/.test(key ?? "") && text !== "" ? "<id>" : text)),
  places: (value, places) =>
    mapStrings(value, (text) =>
      ["OUT", "RUN", "REG"].reduce((result, name) => result.replaceAll(places[name] as string, `\${${name}}`), text).replaceAll(`${places["FIX"]}/`, "${FIX}/"),
    ),
  internals: (value) => value,
  digests: (value) => mapStrings(value, (text) => text.replaceAll(/\b(sha256|xxh3|blake3):[0-9a-f]{16,}/g, "$1:<digest>")),
  env: (value) =>
    mapStrings(value, (text) =>
      /^[A-Z_]+=/m.test(text)
        ? text
            .split("\n")
            .filter((line) => !INJECTED.test(line))
            .toSorted()
            .join("\n")
        : text,
    ),
  unordered: (value) => ({ ...value, ...("data" in value ? { data: sorted(value.data) } : {}), ...(value.errors ? { errors: sorted(value.errors) } : {}) }),
  shape: (value) => ("data" in value ? { ...value, data: shapeOf(value.data) } : value),
  long: (value) =>
    mapStrings(value, (text) =>
      text.length > 2000 ? `<${text.length} characters, sha256 ${createHash("sha256").update(text).digest("hex").slice(0, 16)}>` : text,
    ),
  sizes: (value) => ("data" in value ? { ...value, data: numbersOf(value.data) } : value),
};

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return mapJson(value, sorted);
}

function shapeOf(value: Json): Json {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value === "object" && value !== null) return mapJson(value, shapeOf);
  return value === null ? null : `<${typeof value}>`;
}

function numbersOf(value: Json): Json {
  return typeof value === "number" ? "<number>" : mapJson(value, numbersOf);
}
