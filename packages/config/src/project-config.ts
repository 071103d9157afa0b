import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { parseRunnerUrl, RunnerError, suggest } from "@anyrunner/core";

import { parseConfigDocument, type ConfigDocument } from "./config-document.ts";
import { checkImageTemplate } from "./engine-version/engine-image-name.ts";

/** What a project says about its runner, in `anyrunner.config.yaml` or `.json`. Data only: nothing in it runs. */
export interface ProjectConfig {
  /** Absolute. */
  readonly file: string;
  /** The folder of the file; paths in it are relative to this. */
  readonly directory: string;
  /** The runner URL that the project wants. */
  readonly runner?: string | undefined;
  /** Name of the engine's image in a mirror; `{version}` in it stands for `vX.Y.Z`, or `vX.Y.Z-gpu`. */
  readonly image?: string | undefined;
  /** Outside drivers, best first; they win over the built-in ones. */
  readonly drivers: readonly ProjectDriver[];
}

/** A driver that a project names: a package of its dependencies, or a file or folder (absolute here). */
export type ProjectDriver = ({ readonly kind: "package"; readonly package: string } | { readonly kind: "path"; readonly path: string }) & {
  /** What the driver is called and answers to, where its own manifest doesn't say so. */
  readonly name?: string | undefined;
  readonly schemes?: readonly string[] | undefined;
  /** `file:line` that names it. */
  readonly place: string;
};

const FILES = ["anyrunner.config.yaml", "anyrunner.config.json"] as const;
const KEYS = ["runner", "image", "drivers", "$schema"] as const;
const DRIVER_KEYS: readonly string[] = ["path", "package", "name", "schemes"];
const DRIVER_HINT = "write a list of package names, of paths that begin with ./, or of { path: ./driver.ts, name: foo, schemes: [foo] }";
const PACKAGE_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

/**
 * The configuration of the project around `cwd`: the nearest file upwards, and only that one.
 * Fails with INVALID_CONFIG, naming file, line and, for a misspelt key, the nearest known one.
 */
export async function loadProjectConfig({ cwd }: { readonly cwd: string }): Promise<ProjectConfig | undefined> {
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const found = await readConfig(directory);
    if (found !== undefined) return parseProjectConfig(found.text, found.file);
    if (directory === dirname(directory)) return undefined;
  }
}

/** Checks the text of a project file. Fails with INVALID_CONFIG. */
export async function parseProjectConfig(text: string, file: string): Promise<ProjectConfig> {
  const document = await parseConfigDocument(text, file);
  const directory = dirname(file);
  const value = document.value ?? {};
  if (typeof value !== "object" || Array.isArray(value)) throw invalid(document, [], "it must hold keys and values", `known keys are ${KEYS.join(", ")}`);
  for (const key of Object.keys(value)) {
    if ((KEYS as readonly string[]).includes(key)) continue;
    const nearest = suggest(key, KEYS);
    throw invalid(document, [key], `unknown key "${key}"`, `${nearest === undefined ? "" : `did you mean "${nearest}"? `}known keys are ${KEYS.join(", ")}`);
  }
  const { runner, image, drivers } = value as { readonly runner?: unknown; readonly image?: unknown; readonly drivers?: unknown };
  return {
    file,
    directory,
    runner: readRunner(document, runner),
    ...readImage(document, image),
    drivers: readDrivers(document, drivers, directory),
  };
}

async function readConfig(directory: string): Promise<{ readonly file: string; readonly text: string } | undefined> {
  const present: { file: string; text: string }[] = [];
  for (const name of FILES) {
    const file = join(directory, name);
    const text = await readIfFile(file);
    if (text !== undefined) present.push({ file, text });
  }
  if (present.length > 1) {
    throw new RunnerError("INVALID_CONFIG", `${directory} has both ${FILES.join(" and ")}`, { hint: "keep one of them" });
  }
  const misnamed = join(directory, "anyrunner.config.yml");
  if (present.length === 0 && (await readIfFile(misnamed)) !== undefined) {
    throw new RunnerError("INVALID_CONFIG", `${misnamed} has a name that isn't read`, { hint: `rename it to ${FILES[0]}` });
  }
  return present[0];
}

async function readIfFile(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A folder above that may not be searched holds no project of this user.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR" || code === "EACCES") return undefined;
    throw new RunnerError("INVALID_CONFIG", `${file} can't be read: ${code ?? "unknown"}`, { cause: error });
  }
}

function readRunner(document: ConfigDocument, runner: unknown): string | undefined {
  if (runner === undefined || runner === null) return undefined;
  if (typeof runner !== "string") throw invalid(document, ["runner"], '"runner" must be a URL', "write for example runner: embedded://");
  try {
    parseRunnerUrl(runner);
  } catch (error) {
    if (!RunnerError.is(error)) throw error;
    throw invalid(document, ["runner"], error.message, error.hint);
  }
  return runner.trim();
}

function readImage(document: ConfigDocument, image: unknown): Pick<ProjectConfig, "image"> {
  if (image === undefined || image === null) return {};
  if (typeof image !== "string")
    throw invalid(document, ["image"], '"image" must be the name of an image', "write for example image: registry.example.com/dagger/engine:{version}");
  return { image: checkImageTemplate(image.trim(), document.place(["image"])) };
}

function readDrivers(document: ConfigDocument, drivers: unknown, directory: string): readonly ProjectDriver[] {
  if (drivers === undefined || drivers === null) return [];
  if (!Array.isArray(drivers)) throw invalid(document, ["drivers"], '"drivers" must be a list', DRIVER_HINT);
  return drivers.map((driver: unknown, index) => readDriver(document, ["drivers", index], driver, directory));
}

function readDriver(document: ConfigDocument, at: readonly (string | number)[], driver: unknown, directory: string): ProjectDriver {
  const place = document.place(at);
  if (typeof driver === "string") {
    if (/^(\.\.?[/\\]|[/\\]|[A-Za-z]:[/\\])/.test(driver)) return { kind: "path", path: resolve(directory, driver), place };
    if (PACKAGE_NAME.test(driver)) return { kind: "package", package: driver, place };
  }
  if (typeof driver !== "object" || driver === null || Array.isArray(driver)) {
    throw invalid(document, at, `${JSON.stringify(driver)?.slice(0, 100)} names no driver`, DRIVER_HINT);
  }
  for (const key of Object.keys(driver)) {
    if (DRIVER_KEYS.includes(key)) continue;
    const nearest = suggest(key, DRIVER_KEYS);
    throw invalid(
      document,
      [...at, key],
      `unknown key "${key}"`,
      `${nearest === undefined ? "" : `did you mean "${nearest}"? `}known keys are ${DRIVER_KEYS.join(", ")}`,
    );
  }
  const { path, package: packageName, name, schemes } = driver as Record<string, unknown>;
  if (name !== undefined && (typeof name !== "string" || !/^[a-z][a-z0-9-]*$/.test(name)))
    throw invalid(document, [...at, "name"], '"name" must be a lower-case word', DRIVER_HINT);
  if (
    schemes !== undefined &&
    !(Array.isArray(schemes) && schemes.length > 0 && schemes.every((scheme) => typeof scheme === "string" && /^[a-z][a-z0-9.+-]*$/.test(scheme)))
  ) {
    throw invalid(document, [...at, "schemes"], '"schemes" must be a list of lower-case schemes without "://"', DRIVER_HINT);
  }
  const announced = { name, schemes: schemes as readonly string[] | undefined, place };
  if (typeof path === "string" && path !== "" && packageName === undefined) return { kind: "path", path: resolve(directory, path), ...announced };
  if (typeof packageName === "string" && PACKAGE_NAME.test(packageName) && path === undefined) return { kind: "package", package: packageName, ...announced };
  throw invalid(document, at, "a driver needs either a path or the name of a package", DRIVER_HINT);
}

function invalid(document: ConfigDocument, path: readonly (string | number)[], what: string, hint: string | undefined): RunnerError {
  return new RunnerError("INVALID_CONFIG", `${document.place(path)}: ${what}`, { hint });
}
