import { homedir, tmpdir } from "node:os";
import { RunnerError } from "@anyrunner/core";
import { runProgram, type ProgramResult, type RunProgramOptions } from "@anyrunner/exec";
import { Git, GitErrorType, unaryHandler, type GrpcRoutes } from "@anyrunner/protocol";
import type { AttachableSettings } from "./attachable-settings.ts";
import { netrcLogin } from "./netrc.ts";

/** A failure inside the answer: a gRPC error would be fatal to what asked. */
interface GitFailure {
  readonly type: number;
  readonly message: string;
}

interface GitCredential {
  readonly protocol: string;
  readonly host: string;
  readonly username: string;
  readonly password: string;
}

type RunGit = (args: readonly string[], options: Pick<RunProgramOptions, "input" | "cwd" | "env" | "signal">) => Promise<ProgramResult | GitFailure>;

const BUDGET_MS = 30_000;

/** Credentials and configuration of the system's git (engine protocol 5.10). */
export function gitRoutes(settings: AttachableSettings): GrpcRoutes {
  const runGit = createRunGit(settings);
  const getCredential = unaryHandler(Git.getCredential, async (request, { signal }) => {
    const found = await findCredential(request, { settings, runGit, signal });
    if (!isFailure(found)) settings.onSecret?.(found.password);
    return { result: isFailure(found) ? { case: "error" as const, value: found } : { case: "credential" as const, value: found } };
  });
  const getConfig = unaryHandler(Git.getConfig, async (_, { signal }) => {
    const found = await readConfig(runGit, signal);
    return { result: isFailure(found) ? { case: "error" as const, value: found } : { case: "config" as const, value: { entries: [...found] } } };
  });
  return {
    [Git.getCredential.path]: getCredential,
    [Git.getConfig.path]: getConfig,
    // Engines 0.17 and 0.18, and 0.14 to 0.16.
    "/Git/GetCredential": getCredential,
    "/Git/GetConfig": getConfig,
    "/GitCredential/GetCredential": getCredential,
  };
}

/** One git at a time: its credential helpers may share a lock, or ask the user something. */
function createRunGit({ env }: AttachableSettings): RunGit {
  let last: Promise<unknown> = Promise.resolve();
  return (args, options) => {
    const run = last.then(async () => {
      try {
        return await runProgram({ command: "git", args, timeoutMs: BUDGET_MS, ...options, env: { ...env, GIT_TERMINAL_PROMPT: "0", ...options.env } });
      } catch (error) {
        if (RunnerError.is(error) && error.code === "NOT_FOUND") return { type: GitErrorType.NOT_FOUND, message: "git is not installed or not in PATH" };
        if (RunnerError.is(error) && error.code === "TIMEOUT")
          return { type: GitErrorType.TIMEOUT, message: `git did not answer within ${BUDGET_MS / 1000} s` };
        throw error;
      }
    });
    last = run.catch(() => {});
    return run;
  };
}

interface CredentialSources {
  readonly settings: AttachableSettings;
  readonly runGit: RunGit;
  readonly signal: AbortSignal;
}

/** Git's helpers, then `~/.netrc`; when neither knows one, what git said. */
async function findCredential(
  request: { readonly protocol: string; readonly host: string; readonly path: string },
  { settings, runGit, signal }: CredentialSources,
): Promise<GitCredential | GitFailure> {
  const { protocol, host, path } = request;
  if (protocol === "" || host === "") return { type: GitErrorType.INVALID_REQUEST, message: "host and protocol are required" };
  // Each line says something else to git.
  if (/[\n\r\0]/.test(protocol + host + path)) return { type: GitErrorType.INVALID_REQUEST, message: "host, protocol and path are one line each" };
  const filled = await fillCredential(request, { settings, runGit, signal });
  if (!isFailure(filled) || !/^https?$/.test(protocol)) return filled;
  const login = await netrcLogin(settings.home ?? homedir(), host).catch(() => undefined);
  return login === undefined ? filled : { protocol, host, ...login };
}

async function fillCredential(
  { protocol, host, path }: { readonly protocol: string; readonly host: string; readonly path: string },
  { settings, runGit, signal }: CredentialSources,
): Promise<GitCredential | GitFailure> {
  const input = `protocol=${protocol}\nhost=${host}\n${path === "" ? "" : `path=${path}\n`}\n`;
  // Set and empty: nothing may ask the user, SSH_ASKPASS included.
  const result = await runGit(["credential", "fill"], { input, cwd: settings.cwd, env: { GIT_ASKPASS: "" }, signal });
  if (isFailure(result)) return result;
  const failed = (reason: string) => ({ type: GitErrorType.CREDENTIAL_RETRIEVAL_FAILED, message: `failed to retrieve credentials: ${reason}` });
  if (result.exitCode !== 0) return failed(`${result.stderr.trim()}, exit status ${result.exitCode}`);
  const fields = new Map(
    result.stdout
      .toString("utf8")
      .split("\n")
      .map((line) => [line.split("=", 1)[0] ?? "", line.slice(line.indexOf("=") + 1)]),
  );
  const [username, password] = [fields.get("username"), fields.get("password")];
  if (!username || !password) return failed("git gave no user name or no password");
  return { protocol: fields.get("protocol") ?? protocol, host: fields.get("host") ?? host, username, password };
}

/** What rewrites addresses, from the user's and the system's configuration: a repository's own is left out by running elsewhere. */
async function readConfig(runGit: RunGit, signal: AbortSignal): Promise<readonly { readonly key: string; readonly value: string }[] | GitFailure> {
  const result = await runGit(["config", "-l", "-z"], { cwd: tmpdir(), env: { SSH_ASKPASS: "echo" }, signal });
  if (isFailure(result)) return result;
  if (result.exitCode !== 0) return { type: GitErrorType.CONFIG_RETRIEVAL_FAILED, message: `failed to retrieve git config: exit status ${result.exitCode}` };
  return result.stdout
    .toString("utf8")
    .split("\0")
    .map((entry) => ({ key: entry.split("\n", 1)[0] ?? "", value: entry.includes("\n") ? entry.slice(entry.indexOf("\n") + 1) : "" }))
    .filter(({ key, value }) => value !== "" && /^url\..*\.insteadof$/is.test(key));
}

function isFailure(value: object): value is GitFailure {
  return "type" in value;
}
