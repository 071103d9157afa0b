import type { Stats } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";

import { wantedEngine } from "@anyrunner/client";
import { engineImageName, loadProjectConfig } from "@anyrunner/config";
import { RunnerError } from "@anyrunner/core";
import { isEngineVersion, parseEngineJson, type ImageFile, type ImagePackage, type ImageRecipe, type NamedText } from "@anyrunner/images";

import type { CommandContext } from "./command-context.ts";

/** What the flags say, as they were written. */
export interface ImageRecipeOptions {
  /** A version or the name of an image. Default: the version that the project names. */
  readonly engine: string | undefined;
  readonly gpu: boolean;
  readonly strategy: string | undefined;
  readonly base: string | undefined;
  readonly installer: string | undefined;
  readonly packages: readonly string[];
  readonly ca: readonly string[];
  readonly config: readonly string[];
  readonly add: readonly string[];
  readonly env: readonly string[];
  readonly labels: readonly string[];
  readonly platform: string | undefined;
  readonly toolkit: string | undefined;
}

const TEXT_LIMIT_BYTES = 4 * 1024 * 1024;
const FILE_LIMIT_BYTES = 256 * 1024 * 1024;

/** Reads the files that the flags name, and makes a recipe of all. Fails with USAGE, NOT_FOUND, PERMISSION_DENIED, INVALID_CONFIG. */
export async function readImageRecipe(context: CommandContext, options: ImageRecipeOptions): Promise<ImageRecipe> {
  const { cwd, env } = context;
  const strategy = options.strategy as ImageRecipe["strategy"];
  const isOverlay = strategy === "overlay" || (strategy === undefined && options.base === undefined && options.packages.length === 0);
  const [engine, caCertificates, files, configuration] = await Promise.all([
    engineOf(context, options.engine, options.gpu && isOverlay),
    readCertificates(cwd, options.ca),
    Promise.all(options.add.map((text) => readAdded(cwd, text))),
    readConfiguration(cwd, options.config),
  ]);
  return {
    engine,
    gpu: options.gpu,
    strategy,
    baseImage: options.base,
    installer: options.installer as ImageRecipe["installer"],
    packages: options.packages.map(packageOf),
    caCertificates,
    ...configuration,
    files,
    env: Object.fromEntries(options.env.map((text) => pairOf("env", text, env))),
    labels: Object.fromEntries(options.labels.map((text) => pairOf("label", text, {}))),
    platform: options.platform,
    toolkitVersion: options.toolkit,
  };
}

/** A version is of the image that the project's configuration names, else of the official one. */
async function engineOf(context: CommandContext, engine: string | undefined, gpu: boolean): Promise<string> {
  if (engine !== undefined && !isEngineVersion(engine)) return engine;
  const config = await loadProjectConfig({ cwd: context.cwd });
  const version = engine ?? (await wantedEngine(context, config)).version;
  return engineImageName({ version, gpu, template: config?.image });
}

async function readCertificates(cwd: string, paths: readonly string[]): Promise<readonly NamedText[]> {
  const files = await Promise.all(
    paths.map(async (path) => {
      const full = resolve(cwd, path);
      const isFolder = (await inspect(full, "--ca")).isDirectory();
      if (!isFolder) return [full];
      const names = (await readdir(full)).filter((name) => /\.(crt|pem|cer)$/.test(name));
      if (names.length === 0) throw new RunnerError("USAGE", `--ca: ${path} has no certificates`, { hint: "their names end in .crt, .pem or .cer" });
      return names.toSorted().map((name) => join(full, name));
    }),
  );
  return Promise.all(files.flat().map(async (path) => ({ name: path, text: (await readBounded(path, "--ca", TEXT_LIMIT_BYTES)).toString("utf8") })));
}

async function readConfiguration(cwd: string, paths: readonly string[]): Promise<Pick<ImageRecipe, "engineJson" | "engineToml">> {
  let found: Pick<ImageRecipe, "engineJson" | "engineToml"> = {};
  for (const path of paths) {
    const text = (await readBounded(resolve(cwd, path), "--config", TEXT_LIMIT_BYTES)).toString("utf8");
    const key = { ".json": "engineJson", ".toml": "engineToml" }[extname(path)];
    if (key === undefined)
      throw new RunnerError("USAGE", `--config: ${basename(path)} is neither JSON nor TOML by its name`, { hint: "name it engine.json or engine.toml" });
    if (Object.hasOwn(found, key)) throw new RunnerError("USAGE", `--config: there are two files like ${basename(path)}`, { hint: "give one of them" });
    found = { ...found, [key]: key === "engineJson" ? parseEngineJson(text, path) : text };
  }
  return found;
}

/** The target is what stands behind the last colon: it has none. */
async function readAdded(cwd: string, text: string): Promise<ImageFile> {
  const at = text.lastIndexOf(":");
  if (at < 1) throw new RunnerError("USAGE", `--add: "${text}" says no place in the image`, { hint: "write FILE:/path/in/the/image" });
  const path = resolve(cwd, text.slice(0, at));
  const { mode } = await inspect(path, "--add");
  return { target: text.slice(at + 1), contents: await readBounded(path, "--add", FILE_LIMIT_BYTES), mode: (mode & 0o111) === 0 ? 0o644 : 0o755 };
}

function packageOf(text: string): ImagePackage {
  const at = text.indexOf("=");
  return at < 0 ? { name: text } : { name: text.slice(0, at), files: text.slice(at + 1).split(",") };
}

function pairOf(flag: string, text: string, env: CommandContext["env"]): readonly [string, string] {
  const at = text.indexOf("=");
  const name = at < 0 ? text : text.slice(0, at);
  const value = at < 0 ? env[name] : text.slice(at + 1);
  if (value !== undefined) return [name, value];
  throw new RunnerError("USAGE", `--${flag}: "${text}" has no value${flag === "env" ? ", and is not set here" : ""}`, { hint: "write NAME=VALUE" });
}

async function readBounded(path: string, flag: string, limitBytes: number): Promise<Buffer> {
  const facts = await inspect(path, flag);
  if (!facts.isFile()) throw new RunnerError("USAGE", `${flag}: ${path} is no file`, { hint: "name a file" });
  if (facts.size > limitBytes) throw new RunnerError("USAGE", `${flag}: ${path} is larger than ${limitBytes / 1024 ** 2} MiB`, { hint: "give a smaller one" });
  return readFile(path).catch((error: unknown) => fail(path, flag, error));
}

async function inspect(path: string, flag: string): Promise<Stats> {
  return stat(path).catch((error: unknown) => fail(path, flag, error));
}

function fail(path: string, flag: string, error: unknown): never {
  const { code } = error as NodeJS.ErrnoException;
  const kind = code === "EACCES" || code === "EPERM" ? "PERMISSION_DENIED" : "NOT_FOUND";
  throw new RunnerError(kind, `${flag}: ${path} can't be read (${code ?? "unknown"})`, { hint: `correct ${flag}`, cause: error });
}
