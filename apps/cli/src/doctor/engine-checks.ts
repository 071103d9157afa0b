import {
  compareEngineVersions,
  inTime,
  MINIMUM_ENGINE_VERSION,
  minimumClientVersion,
  baseEngineVersion,
  RunnerError,
  type CallOptions,
  type Runner,
} from "@anyrunner/core";
import { findEngineVersion } from "@anyrunner/config";
import type { EngineSession } from "@anyrunner/engine";
import type { Check } from "@anyrunner/engine-container";

import type { CommandContext } from "../command-context.ts";
import type { FoundRunner } from "../find-runner.ts";
import { checked, type Recorder } from "./check.ts";
import { recordState } from "./state-checks.ts";

interface EngineCheckOptions {
  readonly context: CommandContext;
  readonly record: Recorder;
  readonly signal: AbortSignal;
  /** Let the engine fetch this URL. */
  readonly fetch?: string | undefined;
}

const CONNECT_BUDGET_MS = 10_000;
const FETCH_BUDGET_MS = 30_000;
/** What resolvers say: Go's, musl's and glibc's. */
const NO_ADDRESS = /no such host|lookup \S+|name resolution|name or service not known|bad address/i;

/** From the first byte to a query's answer, each step with its time. Gives whether the engine answered. */
export async function checkEngineOf(
  found: FoundRunner & { readonly handle: NonNullable<FoundRunner["handle"]> },
  options: EngineCheckOptions,
): Promise<boolean> {
  const { record, signal } = options;
  const { driver, handle } = found;
  const runner: Runner = { url: found.shownUrl ?? found.label, driver, handle, losers: [], connect: (call: CallOptions = {}) => driver.connect(handle, call) };
  const dialled = await checked({ id: "engine.dial", record, signal }, async () => {
    const late = () =>
      new RunnerError("TIMEOUT", `the driver ${driver.name} opened no connection to ${runner.url} within ${CONNECT_BUDGET_MS / 1000} s`, {
        hint: "see whether what lies on the way answers: the address, a proxy or tunnel, the program behind it",
      });
    const connection = await inTime({ budgetMs: CONNECT_BUDGET_MS, signal, late }, (budget) => driver.connect(handle, { signal: budget }));
    connection.stream.on("error", () => {});
    connection.stream.destroy();
    return { value: true, timed: true, detail: `a stream of kind ${connection.kind}${connection.halfClose ? "" : ", without half-close"}` };
  });
  const version = dialled && (await checkInfo(runner, options));
  const answered = version !== undefined && (await checkSession(runner, options));
  if (!answered) await recordState(driver, handle, options);
  return answered === true;
}

async function checkInfo(runner: Runner, { context, record, signal }: EngineCheckOptions): Promise<string | undefined> {
  const version = await checked({ id: "engine.info", record, signal }, async () => {
    const { openControlConnection, retryTransient } = await import("@anyrunner/engine");
    const control = await retryTransient(() => openControlConnection(runner, { signal }), {
      what: "asking the engine who it is",
      budgetMs: CONNECT_BUDGET_MS,
      signal,
    });
    control.http2.destroy();
    control.connection.stream.destroy();
    const { name, version: value, cpus } = control.info;
    return { value, timed: true, detail: `engine ${value} "${name}"${cpus > 0 ? `, ${cpus} CPUs` : ""}` };
  });
  if (version === undefined) return undefined;
  const { chosen } = await findEngineVersion({ cwd: context.cwd, env: context.env });
  record(windowCheck(version, chosen?.version));
  return version;
}

/** Whether engine and project fit each other. */
export function windowCheck(engine: string, project: string | undefined): Check {
  const minimum = minimumClientVersion(engine);
  const window = `engine ${engine} accepts clients from ${minimum ?? "an unknown version"} on; anyrunner accepts engines from ${MINIMUM_ENGINE_VERSION} on`;
  if (project === undefined) return { id: "engine.window", status: "ok", detail: window };
  if (minimum !== undefined && compareEngineVersions(baseEngineVersion(project), minimum) < 0)
    return {
      id: "engine.window",
      status: "failed",
      detail: `${window}; the project has ${project}`,
      remedy: `use an engine ${project}, or bring the project to ${minimum} or newer`,
    };
  const isNewer = compareEngineVersions(baseEngineVersion(project), baseEngineVersion(engine)) > 0;
  if (isNewer)
    return {
      id: "engine.window",
      status: "warning",
      detail: `the project has ${project}, which is newer than engine ${engine}: what is new in it is missing there`,
      remedy: `use an engine ${project}`,
    };
  return { id: "engine.window", status: "ok", detail: `${window}; the project has ${project}` };
}

async function checkSession(runner: Runner, { context, record, signal, fetch }: EngineCheckOptions): Promise<boolean> {
  const { env, cwd } = context;
  const { openSession } = await import("@anyrunner/engine");
  const session = await checked({ id: "session.open", record, signal }, async () => ({
    value: await openSession(runner, { env, cwd, signal, connectBudgetMs: CONNECT_BUDGET_MS }),
    timed: true,
    detail: "metadata and attachables accepted",
  }));
  if (session === undefined) return false;
  try {
    const answered = await checked({ id: "session.query", record, signal }, async () => {
      const { data, errors } = await session.query({ query: "{ defaultPlatform }", signal });
      if (errors?.[0] !== undefined) throw new RunnerError("QUERY_FAILED", errors[0].message);
      return {
        value: true,
        timed: true,
        detail: `pipelines run on ${(data as { readonly defaultPlatform?: string } | undefined)?.defaultPlatform ?? "an unknown platform"}`,
      };
    });
    if (answered && fetch !== undefined) await checkFetch(session, fetch, { record, signal });
    return answered === true;
  } finally {
    await checked({ id: "session.close", record, signal }, async () => {
      await session.close();
      return { value: undefined, timed: true, detail: "ended" };
    });
  }
}

/** A fetch from inside the engine; what it says of a failure tells whether the name or the way to it is wrong. */
async function checkFetch(session: EngineSession, url: string, { record, signal }: Pick<EngineCheckOptions, "record" | "signal">): Promise<void> {
  const { origin, hostname } = new URL(url);
  await checked({ id: "session.fetch", record, signal }, async () => {
    const budget = AbortSignal.any([signal, AbortSignal.timeout(FETCH_BUDGET_MS)]);
    const { errors } = await session.query({ query: "query ($url: String!) { http(url: $url) { size } }", variables: { url }, signal: budget });
    const failure = errors?.[0]?.message;
    const isNameless = failure !== undefined && NO_ADDRESS.test(failure);
    record(
      isNameless
        ? {
            id: "session.resolve",
            status: "failed",
            detail: `the engine finds no address for ${hostname}`,
            remedy: "check the DNS of the engine's machine, its network= and proxy=",
          }
        : { id: "session.resolve", status: "ok", detail: `the engine finds ${hostname}, or its proxy does` },
    );
    if (failure === undefined) return { value: true, timed: true, detail: `the engine reaches ${origin}` };
    throw new RunnerError("QUERY_FAILED", `the engine can't fetch ${origin}: ${failure}`, {
      hint: isNameless ? "mend the name resolution first" : "check the proxy (proxy=) and the certificates (ca=) of the engine",
    });
  });
}
