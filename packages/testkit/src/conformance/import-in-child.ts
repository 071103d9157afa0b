import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** What importing a module did. */
export interface ImportedModule {
  /** `driver.name`, or undefined when the module exports no driver. */
  readonly driverName: string | undefined;
  /** URLs of every module that was loaded, ESM and CommonJS. */
  readonly modules: readonly string[];
  /** What it wrote to standard output and standard error. */
  readonly output: string;
  /** What would keep the process alive. */
  readonly activeResources: readonly string[];
  /** Names of environment variables that it changed. */
  readonly changedEnv: readonly string[];
}

const MARK = "\u001eimported:";

/** Imports `entry` (a file URL) in a fresh process of this Node, which must be 22.15 or newer. */
export async function importInChild(entry: string): Promise<ImportedModule> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", PROBE, entry], {
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, NODE_NO_WARNINGS: "1", NODE_OPTIONS: "" },
  });
  const mark = stdout.lastIndexOf(MARK);
  const report = JSON.parse(stdout.slice(mark + MARK.length)) as Omit<ImportedModule, "output" | "driverName"> & { readonly driverName?: string };
  return { ...report, driverName: report.driverName, output: stdout.slice(0, mark) + stderr };
}

/** The dependencies of the package that holds `entry`, without those of anyrunner itself. */
export async function sdkDependencies(entry: string): Promise<readonly string[]> {
  for (let directory = dirname(fileURLToPath(entry)); ; directory = dirname(directory)) {
    const text = await readFile(join(directory, "package.json"), "utf8").catch(() => undefined);
    if (text !== undefined) {
      const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
      return Object.keys(dependencies).filter((name) => !name.startsWith("@anyrunner/"));
    }
    if (dirname(directory) === directory) return [];
  }
}

const PROBE = `
import { registerHooks } from "node:module";
const modules = [];
registerHooks({ load(url, context, next) { modules.push(url); return next(url, context); } });
const env = { ...process.env };
const { driver } = await import(process.argv[1]);
await new Promise((resolve) => setImmediate(resolve));
const activeResources = process.getActiveResourcesInfo().filter((name) => !/^(PipeWrap|TTYWrap|Immediate|FSReqPromise|CloseReq)$/.test(name));
const changedEnv = [...new Set([...Object.keys(env), ...Object.keys(process.env)])].filter((name) => env[name] !== process.env[name]);
process.stdout.write(${JSON.stringify(MARK)} + JSON.stringify({ driverName: driver?.name, modules, activeResources, changedEnv }));
`;
