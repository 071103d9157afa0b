import { boundCall, interrupted, type BoundCall } from "./bound-call.ts";
import { boundConnection } from "./bound-connection.ts";
import {
  STOP_GRACE_MS,
  type CallOptions,
  type LogsOptions,
  type ProbeResult,
  type RunnerConnection,
  type RunnerDriver,
  type RunnerHandle,
  type StopOptions,
} from "./driver.ts";
import { createChunkRedaction } from "./redact-chunks.ts";
import { redactError } from "./redact-error.ts";
import { holdsText, redactValue } from "./redact.ts";
import { RunnerError } from "./runner-error.ts";
import { createUrlOrigins, type UrlOrigin } from "./url-origin.ts";
import { orAborted, withinBudget } from "./waits.ts";

/** How long a call may take at most, in ms. This is for drivers that never answer: whoever knows what is slow has smaller budgets of its own. */
const BUDGETS_MS = {
  parse: 15_000,
  probe: 30_000,
  connect: 60_000,
  inspect: 30_000,
  list: 60_000,
  /** Of a driver that only finds. */
  find: 60_000,
  /** An image may have to be pulled, a machine to be made. */
  provision: 3_600_000,
  start: 3_600_000,
  /** Besides the time that the caller gives to the engine and to its sessions. */
  stop: 600_000,
  destroy: 3_600_000,
} as const;
/** How long a driver may clean up after an abort, in ms, where it makes or removes something. */
const CLEAN_UP_MS = 5000;

/**
 * The same driver for those who didn't write it; every driver of a registry is one. `where` names its package or file for messages.
 *
 * - Every call ends, whatever the driver does: TIMEOUT when it doesn't answer, ABORTED when the caller aborts, though it may not obey.
 *   Those that only look are not waited for then. A call that takes long is told to the reporter. `logs` has no budget.
 * - It gets the secrets of its URL with each call on the target and handle that came of it (`CallOptions.secrets`).
 * - They show in nothing that it says: errors with their causes and stacks, events, answers, logs, diagnostics, ends of connections. A target
 *   or handle that holds one is refused, as is an answer that the interface doesn't know: DRIVER_INVALID.
 */
export function boundDriver(driver: RunnerDriver, where: string): RunnerDriver {
  const { name } = driver;
  const origins = createUrlOrigins(name, driver.options);
  /** Notes where a target or handle comes from, if it is fit to be kept. */
  const adopt = <T extends object>(subject: T, origin: UrlOrigin, kind: "target" | "handle"): T => {
    if (holdsText(subject, origin.unfit)) throw holdsSecret({ name, where, kind, shown: origin.shown });
    origins.remember(subject, origin);
    return subject;
  };
  const call = <T, Options extends CallOptions>(
    verb: keyof typeof BUDGETS_MS,
    origin: UrlOrigin,
    options: Options,
    work: (options: Options) => Promise<T>,
    limits: Partial<Pick<BoundCall<T>, "isAnswer" | "discard" | "graceMs">> & { readonly extraMs?: number } = {},
  ): Promise<T> => {
    const { extraMs = 0, ...rest } = limits;
    const bound: BoundCall<T> = {
      driver: name,
      where,
      doing: doing(verb, origin),
      hidden: origin.hidden,
      budgetMs: BUDGETS_MS[verb] + extraMs,
      ...rest,
    };
    return boundCall(bound, withSecrets(options, origin), work);
  };
  const { inspect, logs, start, stop, destroy, list } = driver;
  return {
    specVersion: driver.specVersion,
    version: driver.version,
    name,
    schemes: driver.schemes,
    capabilities: driver.capabilities,
    options: driver.options,
    async parse(url) {
      const origin = origins.ofUrl(url);
      const target = await call("parse", origin, {}, async () => driver.parse(url), { isAnswer: isObject });
      return adopt(target, origin, "target");
    },
    async probe(target, given) {
      const origin = origins.of(target, given);
      return quietResult(await call("probe", origin, given, (options) => driver.probe(target, options), { isAnswer: isProbeResult }), origin.hidden);
    },
    async provision(target, given) {
      const origin = origins.of(target, given);
      const { ready } = given;
      const watched =
        ready === undefined ? given : { ...given, ready: (handle: RunnerHandle, options: CallOptions) => ready(adopt(handle, origin, "handle"), options) };
      const verb = driver.capabilities.includes("provision") ? "provision" : "find";
      const limits = { isAnswer: isHandle, graceMs: verb === "find" ? 0 : CLEAN_UP_MS };
      return adopt(await call(verb, origin, watched, (options) => driver.provision(target, options), limits), origin, "handle");
    },
    async connect(handle, given) {
      const origin = origins.of(handle, given);
      const limits = { isAnswer: isConnection, discard: closeUnused };
      return boundConnection(await call("connect", origin, given, (options) => driver.connect(handle, options), limits), origin.hidden);
    },
    ...(inspect && {
      async inspect(handle, given) {
        const origin = origins.of(handle, given);
        return redactValue(await call("inspect", origin, given, (options) => inspect.call(driver, handle, options), { isAnswer: isObject }), origin.hidden);
      },
    }),
    ...(logs && {
      logs(handle, given) {
        const origin = origins.of(handle, given);
        return boundLogs({ driver: name, doing: `read the log of ${origin.shown}` }, given, origin, (options) => logs.call(driver, handle, options));
      },
    }),
    ...(start && {
      start: (handle, given) => call("start", origins.of(handle, given), given, (options) => start.call(driver, handle, options), { graceMs: CLEAN_UP_MS }),
    }),
    ...(stop && {
      stop: (handle, given) =>
        call("stop", origins.of(handle, given), given, (options) => stop.call(driver, handle, options), { graceMs: CLEAN_UP_MS, extraMs: stopMs(given) }),
    }),
    ...(destroy && {
      destroy: (handle, given) =>
        call("destroy", origins.of(handle, given), given, (options) => destroy.call(driver, handle, options), { graceMs: CLEAN_UP_MS }),
    }),
    ...(list && {
      list: (given) => call("list", NOWHERE, given, (options) => list.call(driver, options), { isAnswer: Array.isArray }),
    }),
  };
}

const NOWHERE: UrlOrigin = { shown: "", hidden: [], unfit: [] };

/** How each call is said in messages: "did not probe tcp://host:1". */
const WORDS: Readonly<Record<keyof typeof BUDGETS_MS, string>> = {
  parse: "parse",
  probe: "probe",
  connect: "connect to",
  inspect: "inspect",
  list: "list its runners",
  find: "find",
  provision: "provision",
  start: "start",
  stop: "stop",
  destroy: "remove",
};

function doing(verb: keyof typeof BUDGETS_MS, { shown }: UrlOrigin): string {
  return `${WORDS[verb]} ${shown}`.trim();
}

function withSecrets<Options extends CallOptions>(options: Options, { secrets }: UrlOrigin): Options {
  return secrets === undefined ? options : { ...options, secrets };
}

async function* boundLogs(
  who: { readonly driver: string; readonly doing: string },
  given: LogsOptions,
  origin: UrlOrigin,
  open: (options: LogsOptions) => AsyncIterable<string>,
): AsyncGenerator<string> {
  const { signal } = given;
  const redaction = createChunkRedaction(origin.hidden);
  const chunks = open(withSecrets(given, origin))[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await orAborted(chunks.next(), signal);
      const shown = next.done === true ? redaction.end() : redaction.push(next.value);
      if (shown !== "") yield shown;
      if (next.done === true) return;
    }
  } catch (error) {
    throw redactError(interrupted(error, who, signal), origin.hidden);
  } finally {
    const left = Promise.resolve(chunks.return?.()).catch(() => undefined);
    // One that hangs is not waited for; one that has ended has nothing to do.
    if (signal?.aborted !== true) await withinBudget(CLEAN_UP_MS, left);
  }
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

/** Nobody uses, or closes, a connection that comes too late. */
function closeUnused({ stream }: RunnerConnection): void {
  stream.on("error", () => {});
  stream.destroy();
}

interface HeldSecret {
  readonly name: string;
  readonly where: string;
  readonly kind: "target" | "handle";
  readonly shown: string;
}

function holdsSecret({ name, where, kind, shown }: HeldSecret): RunnerError {
  return new RunnerError("DRIVER_INVALID", `the driver ${name} (${where}) puts a secret of ${shown} into its ${kind}`, {
    hint: "tell the author of the driver: secrets come with each call, as options.secrets, and belong into no target and no handle",
    driver: name,
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isHandle(value: unknown): boolean {
  return isObject(value) && typeof value["id"] === "string" && isObject(value["endpoint"]);
}

function isConnection(value: unknown): boolean {
  return isObject(value) && isObject(value["stream"]) && isObject(value["closed"]);
}

function isProbeResult(value: unknown): boolean {
  return isObject(value) && (value["available"] === true || (value["available"] === false && typeof value["reason"] === "string"));
}
