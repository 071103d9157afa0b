import type { CallOptions, ProvisionOptions, RunnerConnection, RunnerDriver, RunnerHandle } from "./driver.ts";
import type { Loser, Registry } from "./registry.ts";
import { RunnerError, throwIfAborted } from "./runner-error.ts";
import { formatRunnerUrl, parseRunnerUrl } from "./runner-url.ts";

/** A runner that was resolved and provisioned once. Every stream of a session is opened on the same handle. */
export interface Runner {
  /** The URL with secrets hidden. */
  readonly url: string;
  readonly driver: RunnerDriver;
  readonly handle: RunnerHandle;
  /** The candidates for its scheme that came before its driver, and why they can't serve it. */
  readonly losers: readonly Loser[];
  /** Opens one stream to the engine. Fails as the driver does; INTERNAL for what is no error of ours. */
  connect(options?: CallOptions): Promise<RunnerConnection>;
}

/** Which drivers there are; what is called while the runner is found or made. */
export interface OpenRunnerOptions extends ProvisionOptions {
  readonly registry: Registry;
}

/** The way of a URL up to the point where streams can be opened: parse → resolve → probe → provision. */
export async function openRunner(text: string, options: OpenRunnerOptions): Promise<Runner> {
  const { registry, ...call } = options;
  const url = parseRunnerUrl(text);
  const { driver, target, losers } = await registry.resolve(url, call);
  throwIfAborted(call.signal);
  const handle = await classified(driver, () => driver.provision(target, call), call).catch((error: unknown) => {
    throw withLosers(error, losers);
  });
  const secretParams = driver.options.filter((option) => option.secret).map((option) => option.name);
  return createRunner({ url: formatRunnerUrl(url, { secretParams }), driver, handle, losers });
}

/** With the reasons of those that would have been preferred: one of them may be the user's real mistake. What isn't installed is none. */
function withLosers(error: unknown, losers: readonly Loser[]): unknown {
  const missed = losers.filter(({ code }) => code !== "NOT_AVAILABLE");
  if (missed.length === 0 || !RunnerError.is(error) || error.code === "ABORTED") return error;
  const { code, message, hint, details, driver, retryable } = error;
  const reasons = missed.map((loser) => `to use ${loser.driver} instead: ${loser.reason}${loser.hint === undefined ? "" : ` (${loser.hint})`}`);
  return new RunnerError(code, message, {
    hint: [hint, ...reasons].filter((line) => line !== undefined).join("\nor, "),
    cause: error,
    driver,
    retryable,
    details: { ...details, losers: losers.map((loser) => ({ ...loser })) },
  });
}

/** A runner whose handle is known already, as of one that was provisioned before or by somebody else. `url` is for messages. */
export function createRunner({ url, driver, handle, losers = [] }: Pick<Runner, "url" | "driver" | "handle"> & { readonly losers?: readonly Loser[] }): Runner {
  return { url, driver, handle, losers, connect: (options = {}) => classified(driver, () => driver.connect(handle, options), options) };
}

/** A driver that throws something of its own has a defect; callers still get a typed error. */
async function classified<T>(driver: RunnerDriver, work: () => Promise<T>, options: CallOptions): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw RunnerError.from(error, "INTERNAL", { signal: options.signal, driver: driver.name });
  }
}
