import type { CallOptions, LogsOptions, ProbeResult, RunnerConnection, RunnerDriver, StopOptions } from "./driver.ts";
import { redactError, redactValue } from "./redact.ts";
import { abortedError, RunnerError } from "./runner-error.ts";
import { secretTexts } from "./url-secrets.ts";
import { orAborted, withinBudget } from "./waits.ts";

/** How long a call may take at most, in ms. This is for drivers that never answer: whoever knows what is slow has smaller budgets of its own. */
const BUDGETS_MS = {
  parse: 60_000,
  probe: 120_000,
  // An image may have to be pulled, a machine to be made.
  provision: 3_600_000,
  connect: 120_000,
  inspect: 120_000,
  start: 3_600_000,
  // Besides the time that the caller gives to the engine and to its sessions.
  stop: 600_000,
  destroy: 3_600_000,
  list: 120_000,
} as const;
const STOP_GRACE_MS = 600_000;
/** How long a driver may clean up after an abort, in ms, before nobody waits for it any more. */
const ABORT_GRACE_MS = 5000;

/**
 * The same driver for those who didn't write it: every call ends, whatever the driver does; what it gives has the form that the interface
 * asks for; and neither errors nor events show a secret of the URL. `where` names its package or file for the messages. Besides what the
 * driver says, calls fail with TIMEOUT when it doesn't answer, ABORTED when it ignores an abort, DRIVER_INVALID for an answer that is none.
 */
export function boundDriver(driver: RunnerDriver, where: string): RunnerDriver {
  const secrets = new WeakMap<object, readonly string[]>();
  const hiddenOf = (subject: object) => secrets.get(subject) ?? [];
  const call = <T, Options extends CallOptions>(
    name: keyof typeof BUDGETS_MS,
    subject: object,
    options: Options,
    work: (options: Options) => Promise<T>,
    limits: CallLimits<T> = {},
  ) => {
    const hidden = hiddenOf(subject);
    return bound({ driver: driver.name, where, name, hidden, signal: options.signal, ...limits }, async () => work(quiet(options, hidden)));
  };
  const { inspect, logs, start, stop, destroy, list } = driver;
  return {
    ...driver,
    async parse(url) {
      const hidden = secretTexts(url, driver.options);
      const target = await bound({ driver: driver.name, where, name: "parse", hidden, isAnswer: isObject }, async () => driver.parse(url));
      secrets.set(target, hidden);
      return target;
    },
    async probe(target, given) {
      const result = await call("probe", target, given, (options) => driver.probe(target, options), { isAnswer: isProbeResult });
      return quietResult(result, hiddenOf(target));
    },
    async provision(target, given) {
      const isAnswer = (handle: unknown) => isObject(handle) && typeof handle["id"] === "string" && isObject(handle["endpoint"]);
      const handle = await call("provision", target, given, (options) => driver.provision(target, options), { isAnswer });
      secrets.set(handle, hiddenOf(target));
      return handle;
    },
    connect: (handle, given) =>
      call("connect", handle, given, (options) => driver.connect(handle, options), {
        isAnswer: (connection) => isObject(connection) && isObject(connection["stream"]) && isObject(connection["closed"]),
        // Nobody uses, or closes, a connection that comes too late.
        discard: (connection: RunnerConnection) => connection.stream.destroy(),
      }),
    ...(inspect && { inspect: (handle, given) => call("inspect", handle, given, (options) => inspect.call(driver, handle, options), { isAnswer: isObject }) }),
    ...(logs && { logs: (handle, given) => boundLogs(logs.call(driver, handle, quiet(given, hiddenOf(handle))), given, hiddenOf(handle)) }),
    ...(start && { start: (handle, given) => call("start", handle, given, (options) => start.call(driver, handle, options)) }),
    ...(stop && { stop: (handle, given) => call("stop", handle, given, (options) => stop.call(driver, handle, options), { extraMs: stopMs(given) }) }),
    ...(destroy && { destroy: (handle, given) => call("destroy", handle, given, (options) => destroy.call(driver, handle, options)) }),
    ...(list && { list: (given) => call("list", driver, given, (options) => list.call(driver, options), { isAnswer: Array.isArray }) }),
  };
}

interface CallLimits<T> {
  /** Whether an answer is one. Default: anything is. */
  readonly isAnswer?: (answer: unknown) => boolean;
  /** Gets an answer for which nobody waited any more. */
  readonly discard?: (answer: T) => void;
  /** More time for this call. */
  readonly extraMs?: number;
}

interface BoundCall<T> extends CallLimits<T> {
  readonly driver: string;
  readonly where: string;
  readonly name: keyof typeof BUDGETS_MS;
  readonly hidden: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

async function bound<T>({ driver, where, name, hidden, signal, isAnswer, discard, extraMs = 0 }: BoundCall<T>, work: () => Promise<T>): Promise<T> {
  const budgetMs = BUDGETS_MS[name] + extraMs;
  const answering = work().then((answer) => ({ answer }));
  let isOver = false;
  if (discard !== undefined) answering.then(({ answer }) => isOver && discard(answer)).catch(() => {});
  try {
    const answered = await withinBudget(budgetMs, orAbandoned(answering, signal));
    if (answered === undefined) {
      throw new RunnerError("TIMEOUT", `the driver ${driver} (${where}) did not answer ${name} within ${budgetMs / 1000} s`, { hint: TELL_AUTHOR, driver });
    }
    if (isAnswer?.(answered.answer) === false) {
      throw new RunnerError("DRIVER_INVALID", `the driver ${driver} (${where}) answers ${name} with something else than the interface says`, {
        hint: TELL_AUTHOR,
        driver,
      });
    }
    return answered.answer;
  } catch (error) {
    isOver = true;
    throw redactError(error, hidden);
  }
}

const TELL_AUTHOR = "tell the author of the driver; the interface is RunnerDriver of @anyrunner/core";

/** After an abort a driver has a while to clean up, and to say so. */
async function orAbandoned<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await orAborted(work, signal);
  } catch (error) {
    if (!signal?.aborted) throw error;
    const settled = await withinBudget(ABORT_GRACE_MS, work);
    if (settled === undefined) throw abortedError(signal);
    return settled;
  }
}

async function* boundLogs(log: AsyncIterable<string>, { signal }: LogsOptions, hidden: readonly string[]): AsyncGenerator<string> {
  const chunks = log[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await orAbandoned(chunks.next(), signal);
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    throw redactError(error, hidden);
  } finally {
    // One that hangs is not waited for; one that has ended has nothing to do.
    const left = Promise.resolve(chunks.return?.());
    await withinBudget(ABORT_GRACE_MS, left).catch(() => undefined);
  }
}

function quiet<Options extends CallOptions>(options: Options, hidden: readonly string[]): Options {
  const { report } = options;
  if (hidden.length === 0 || report === undefined) return options;
  return { ...options, report: (event) => report(redactValue(event, hidden)) };
}

function quietResult(result: ProbeResult, hidden: readonly string[]): ProbeResult {
  if (hidden.length === 0) return result;
  if (result.available) return redactValue(result, hidden);
  const { cause, ...shown } = result;
  return { ...redactValue(shown, hidden), ...(cause !== undefined && { cause: redactError(cause, hidden) }) };
}

function stopMs({ graceMs = STOP_GRACE_MS, drainMs = graceMs }: StopOptions): number {
  return graceMs + drainMs;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isProbeResult(value: unknown): boolean {
  return isObject(value) && (value["available"] === true || (value["available"] === false && typeof value["reason"] === "string"));
}
