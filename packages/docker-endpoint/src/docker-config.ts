import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

import { RunnerError, suggest } from "@anyrunner/core";

/** The folder of Docker's client configuration: `DOCKER_CONFIG`, else `.docker` in the home directory. */
export function dockerConfigFolder(env: Readonly<Record<string, string | undefined>>): string {
  if (env["DOCKER_CONFIG"]) return env["DOCKER_CONFIG"];
  return join(env["HOME"] || env["USERPROFILE"] || homedir(), ".docker");
}

/** `currentContext` of config.json; an absent file counts as empty. Fails with INVALID_CONFIG for broken JSON. */
export async function readCurrentContext(folder: string): Promise<string | undefined> {
  const file = join(folder, "config.json");
  const config = await readJson(file);
  const name = config?.["currentContext"];
  if (name === undefined || name === "") return undefined;
  if (typeof name !== "string") throw new RunnerError("INVALID_CONFIG", `currentContext in ${file} is no string`);
  return name;
}

export interface DockerContext {
  readonly host: string;
  readonly skipTlsVerify: boolean;
  /** PEM files that the context brings, those that exist. */
  readonly caPath?: string | undefined;
  readonly certPath?: string | undefined;
  readonly keyPath?: string | undefined;
}

/** A named context, laid out as docker/cli keeps it: folders named by the SHA-256 of the name. Fails with INVALID_CONFIG. */
export async function readDockerContext(folder: string, name: string): Promise<DockerContext> {
  const id = createHash("sha256").update(name).digest("hex");
  const file = join(folder, "contexts", "meta", id, "meta.json");
  const meta = await readJson(file);
  if (meta === undefined) throw await unknownContext(folder, name);
  const docker = member(member(meta, "Endpoints"), "docker");
  const host = docker?.["Host"];
  if (typeof host !== "string" || host === "") {
    throw new RunnerError("INVALID_CONFIG", `the Docker context "${name}" has no Docker endpoint (${file})`, {
      hint: "choose another context with `docker context use NAME`",
    });
  }
  const tlsFolder = join(folder, "contexts", "tls", id, "docker");
  const files = await listFolder(tlsFolder);
  const existing = (base: string) => (files.includes(base) ? join(tlsFolder, base) : undefined);
  return { host, skipTlsVerify: docker?.["SkipTLSVerify"] === true, caPath: existing("ca.pem"), certPath: existing("cert.pem"), keyPath: existing("key.pem") };
}

async function unknownContext(folder: string, name: string): Promise<RunnerError> {
  const metaFolder = join(folder, "contexts", "meta");
  const names = ["default"];
  for (const id of await listFolder(metaFolder)) {
    const meta = await readJson(join(metaFolder, id, "meta.json")).catch(() => undefined);
    if (typeof meta?.["Name"] === "string") names.push(meta["Name"]);
  }
  const nearest = suggest(name, names);
  return new RunnerError("INVALID_CONFIG", `there is no Docker context "${name}" in ${folder}`, {
    hint: `${nearest === undefined ? "" : `did you mean "${nearest}"? `}known are ${names.toSorted().join(", ")}`,
    details: { context: name, known: names },
  });
}

type Json = Readonly<Record<string, unknown>>;

async function readJson(file: string): Promise<Json | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new RunnerError(code === "EACCES" ? "PERMISSION_DENIED" : "INVALID_CONFIG", `${file} can't be read: ${code}`, { cause: error });
  }
  // The docker CLI takes an empty file for an absent one.
  if (text.trim() === "") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  } catch (error) {
    // The parser's message quotes the file, which may hold credentials: it is not attached.
    const at = /position \d+/.exec((error as Error).message)?.[0];
    throw new RunnerError("INVALID_CONFIG", `${file} is no valid JSON${at === undefined ? "" : ` (${at})`}`, { hint: "correct or remove the file" });
  }
  throw new RunnerError("INVALID_CONFIG", `${file} holds no JSON object`, { hint: "correct or remove the file" });
}

function member(value: Json | undefined, key: string): Json | undefined {
  const inner = value?.[key];
  return typeof inner === "object" && inner !== null ? (inner as Json) : undefined;
}

async function listFolder(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
