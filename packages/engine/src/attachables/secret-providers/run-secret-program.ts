import { redact, RunnerError } from "@anyrunner/core";
import { runProgram } from "@anyrunner/exec";
import { GrpcError, GrpcStatus } from "@anyrunner/protocol";
import type { SecretContext } from "./secret-provider.ts";

export interface SecretProgram extends SecretContext {
  /** For messages, such as `op`. */
  readonly scheme: string;
  readonly command: string;
  /** What people call the program and where it comes from. */
  readonly product: string;
  /** Never holds a secret: every user of the machine sees arguments. */
  readonly args: readonly string[];
  /** More than the session's own environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly input?: string | undefined;
}

/** Enough for somebody to touch a key or to answer a dialogue. */
const BUDGET_MS = 120_000;
const SECRET_VARIABLE = /TOKEN|SECRET|PASSWORD|_KEY$|SESSION/i;

/**
 * Runs a secret store's own program and gives its standard output. Fails with a GrpcError: FAILED_PRECONDITION when the program is missing,
 * DEADLINE_EXCEEDED, UNKNOWN with the end of what it said.
 */
export async function runSecretProgram(program: SecretProgram): Promise<Buffer> {
  const { scheme, command, product, args, input, settings, signal } = program;
  const env = { ...settings.env, ...program.env };
  const { exitCode, stdout, stderr } = await runProgram({
    command,
    args,
    env,
    cwd: settings.cwd,
    input,
    signal,
    timeoutMs: BUDGET_MS,
    // Some ask for a fingerprint or a password on the terminal itself.
    terminal: true,
    secrets: secretValues(env, input),
  }).catch((error: unknown) => {
    throw startFailure(error, { scheme, command, product });
  });
  if (exitCode === 0) return stdout;
  const said = redact(stderr, secretValues(env, input)).trim().slice(-500);
  throw new Error(`${command} failed to read a secret of ${scheme}:// with exit status ${exitCode}${said === "" ? "" : `: ${said}`}`);
}

/** As `runSecretProgram`, for a program that answers in JSON. */
export async function askSecretProgram<T>(program: SecretProgram): Promise<T> {
  const stdout = await runSecretProgram(program);
  try {
    return JSON.parse(stdout.toString("utf8")) as T;
  } catch {
    // The parser's message would quote the secret.
    throw new Error(`${program.command} failed to read a secret of ${program.scheme}://: its answer is no JSON`);
  }
}

function startFailure(error: unknown, { scheme, command, product }: Pick<SecretProgram, "scheme" | "command" | "product">): unknown {
  if (!RunnerError.is(error)) return error;
  if (error.code === "NOT_FOUND") {
    const message = `secrets of ${scheme}:// need the program "${command}", which was not found; install ${product}, or put it on PATH`;
    return new GrpcError(GrpcStatus.FAILED_PRECONDITION, message, { cause: error });
  }
  if (error.code === "TIMEOUT") return new GrpcError(GrpcStatus.DEADLINE_EXCEEDED, error.message, { cause: error });
  return error;
}

function secretValues(env: Readonly<Record<string, string | undefined>>, input: string | undefined): readonly string[] {
  const values = Object.entries(env).flatMap(([name, value]) => (SECRET_VARIABLE.test(name) && value !== undefined && value.length >= 6 ? [value] : []));
  return input === undefined ? values : [...values, input];
}
