import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";

import { RunnerError } from "@anyrunner/core";

import { engineConfigPaths } from "./engine-config-paths.ts";
import type { EngineImage } from "./engine-image.ts";
import type { EngineFacts } from "./plan-engine-container.ts";

export type EngineFiles = Pick<EngineFacts, "configPath" | "configDigest" | "ca">;

/**
 * Looks on this machine at the files that a new engine gets: the user's engine.json and CA certificates, or those that the URL
 * names. Fails with INVALID_OPTION for a file that is named, or there, and can't be read.
 */
export async function readEngineFiles(
  image: Pick<EngineImage, "config" | "ca">,
  options: { readonly env: Readonly<Record<string, string | undefined>>; readonly platform?: NodeJS.Platform | undefined },
): Promise<EngineFiles> {
  const paths = engineConfigPaths(options);
  const [config, ca] = await Promise.all([
    image.config === "none" ? undefined : readConfig(image.config ?? paths.engineJson, image.config !== undefined),
    image.ca === "none" ? undefined : findCa(image.ca ?? paths.caCertificates, image.ca !== undefined),
  ]);
  return { ...config, ...(ca !== undefined && { ca }) };
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
