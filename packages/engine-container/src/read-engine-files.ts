import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";

import { RunnerError, type Reporter } from "@anyrunner/core";

import { engineConfigPaths } from "./engine-config-paths.ts";
import type { EngineImage } from "./engine-image.ts";
import type { EngineFacts } from "./plan-engine-container.ts";

export type EngineFiles = Pick<EngineFacts, "configPath" | "configDigest" | "ca">;

export interface ReadEngineFilesOptions {
  /** Says where the user's configuration is. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform?: NodeJS.Platform | undefined;
}

export interface ReadRemoteEngineFilesOptions extends ReadEngineFilesOptions {
  /** For the warning: `the Docker daemon at tcp://…`. */
  readonly where: string;
  readonly report?: Reporter | undefined;
}

/**
 * Looks on this machine at the files that a new engine gets: the user's engine.json and CA certificates, or those that the URL
 * names. Fails with INVALID_OPTION for a file that is named, or there, and can't be read.
 */
export async function readEngineFiles(image: Pick<EngineImage, "config" | "ca">, options: ReadEngineFilesOptions): Promise<EngineFiles> {
  const paths = engineConfigPaths(options);
  const [config, ca] = await Promise.all([
    image.config === "none" ? undefined : readConfig(image.config ?? paths.engineJson, image.config !== undefined),
    image.ca === "none" ? undefined : findCa(image.ca ?? paths.caCertificates, image.ca !== undefined),
  ]);
  return { ...config, ...(ca !== undefined && { ca }) };
}

/**
 * The same for a runtime on another machine: only what the URL names, as that machine's paths. Warns when the user has files that
 * the engine doesn't get.
 */
export async function readRemoteEngineFiles(image: Pick<EngineImage, "config" | "ca">, options: ReadRemoteEngineFilesOptions): Promise<EngineFiles> {
  const own = await readEngineFiles({ config: image.config && "none", ca: image.ca && "none" }, options);
  const unused = [own.configPath, own.ca?.path].filter((path) => path !== undefined);
  if (unused.length > 0) {
    options.report?.({
      type: "warning",
      id: "remote-engine-config",
      message: `${options.where} is another machine: the engine doesn't get ${unused.join(" and ")}`,
      hint: "put the files on that machine and name them with config= and ca=",
    });
  }
  const named = (value: string | undefined) => (value === "none" ? undefined : value);
  const config = named(image.config);
  const ca = named(image.ca);
  return {
    ...(config !== undefined && { configPath: config }),
    ...(ca !== undefined && { ca: { path: ca, kind: /\.(crt|pem|cer)$/.test(ca) ? "file" : "folder" } as const }),
  };
}

async function readConfig(path: string, named: boolean): Promise<EngineFiles | undefined> {
  try {
    const text = await readFile(path);
    return { configPath: path, configDigest: createHash("sha256").update(text).digest("hex").slice(0, 16) };
  } catch (error) {
    return absent("config", path, named, error);
  }
}

async function findCa(path: string, named: boolean): Promise<EngineFacts["ca"]> {
  try {
    return { path, kind: (await stat(path)).isDirectory() ? "folder" : "file" };
  } catch (error) {
    return absent("ca", path, named, error);
  }
}

function absent(parameter: string, path: string, named: boolean, error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (!named && (code === "ENOENT" || code === "ENOTDIR")) return undefined;
  throw new RunnerError("INVALID_OPTION", `${path}, which the engine should get, can't be read (${code ?? "unknown"})`, {
    hint: named ? `correct the parameter "${parameter}"` : `make it readable, or write ${parameter}=none`,
    cause: error,
    details: { parameter },
  });
}
