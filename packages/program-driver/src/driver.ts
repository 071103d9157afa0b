import {
  checkDriver,
  formatRunnerUrl,
  readOptions,
  throwIfAborted,
  RunnerError,
  redactValue,
  secretTexts,
  STOP_GRACE_MS,
  urlSecrets,
  type CallOptions,
  type OptionSpec,
  type ProbeResult,
  type RunnerDriver,
  type RunnerHandle,
  type RunnerState,
  type UrlSecrets,
} from "@anyrunner/core/driver";
import {
  PROTOCOL_VERSION,
  type DriverRequest,
  type DriverResult,
  type DriverVerb,
  type ProgramDescription,
  type ProgramSecrets,
} from "@anyrunner/core/driver-protocol";

import { connectThroughProgram, type ConnectThrough } from "./connection.ts";
import { describeProgram } from "./describe-program.ts";
import { callProgram, type CallProgram, type RequestPart } from "./open-call.ts";
import { brokenProtocol } from "./program-error.ts";
import { readLogs } from "./read-logs.ts";
import type { ProgramSettings } from "./program-settings.ts";

export interface ProgramDriverSettings extends ProgramSettings {
  /** What the program says of itself; see `describeProgram`. */
  readonly description: ProgramDescription;
}

const protocol = PROTOCOL_VERSION;
const LOG_TAIL = 100;

/** Asks the program what it is, which runs it, and makes its driver. Fails as `describeProgram` does. */
export async function loadProgramDriver(settings: ProgramSettings, options: CallOptions = {}): Promise<RunnerDriver> {
  return createProgramDriver({ ...settings, description: await describeProgram(settings, options) });
}

/** The driver that a program is. Making it runs nothing. Fails with DRIVER_INVALID when the description contradicts itself. */
export function createProgramDriver({ description, ...settings }: ProgramDriverSettings): RunnerDriver {
  const { name, capabilities } = description;
  const options = description.options as readonly OptionSpec[];
  const engines: ConnectThrough["engines"] = new WeakMap();
  const voiceOf = (hidden: readonly string[]) => ({ command: settings.command, driver: name, hidden });
  const call = <Verb extends DriverVerb>(verb: Verb, request: RequestPart<Verb>, callOptions: CallOptions, extraBudgetMs = 0): CallProgram<Verb> => {
    const { secrets } = callOptions;
    return { settings, verb, request, secrets: forProgram(secrets), voice: voiceOf(secretTexts(secrets, options)), options: callOptions, extraBudgetMs };
  };
  /** A runner as the program gives it, made a handle of this driver. */
  const handleOf = (given: DriverResult<"provision">["handle"]): RunnerHandle => {
    const { id, endpoint, owned, labels = {} } = given;
    if (owned && !capabilities.includes("provision")) {
      throw brokenProtocol("says that it owns a runner, and doesn't declare the capability provision", voiceOf([]));
    }
    return { driver: name, id, endpoint, owned, labels };
  };
  const inspect = async (handle: RunnerHandle, callOptions: CallOptions): Promise<RunnerState> => {
    const asked = call("inspect", { protocol, handle }, callOptions);
    return redactValue(await callProgram(asked), asked.voice.hidden);
  };
  const change = async <Verb extends "start" | "stop" | "destroy">(
    verb: Verb,
    handle: RunnerHandle,
    request: RequestPart<Verb>,
    callOptions: CallOptions,
    extraMs = 0,
  ) => {
    await callProgram(call(verb, request, callOptions, extraMs));
  };

  const driver: RunnerDriver = {
    specVersion: 1,
    version: description.version,
    name,
    schemes: description.schemes,
    capabilities,
    options,
    async parse(url) {
      const values = readOptions(url, options);
      const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
      const parsing = call("parse", { protocol, url, options: given as DriverRequest<"parse">["options"] }, {});
      const { target } = await callProgram({ ...parsing, voice: voiceOf(secretTexts(urlSecrets(url, options), options)) });
      const secretParams = options.filter(({ secret }) => secret).map((option) => option.name);
      return { ...target, driver: name, url: formatRunnerUrl(url, { secretParams }) };
    },
    probe: async (target, callOptions) => probe(call("probe", { protocol, target }, callOptions)),
    async provision(target, callOptions) {
      const { waitMs } = callOptions;
      const { handle: given, started } = await callProgram(call("provision", { protocol, target, ...(waitMs !== undefined && { waitMs }) }, callOptions));
      const handle = handleOf(given);
      if (started === true) await callOptions.ready?.(handle, { signal: callOptions.signal, report: callOptions.report, secrets: callOptions.secrets });
      throwIfAborted(callOptions.signal);
      return handle;
    },
    connect: (handle, callOptions) =>
      connectThroughProgram(call("connect", { protocol, handle }, callOptions), {
        halfClose: capabilities.includes("half-close"),
        engines,
        inspect: capabilities.includes("inspect") ? (inspectOptions) => inspect(handle, { ...inspectOptions, secrets: callOptions.secrets }) : undefined,
      }),
    ...(capabilities.includes("inspect") && { inspect }),
    ...(capabilities.includes("logs") &&
      ({
        logs: (handle, { tail = LOG_TAIL, follow = false, ...callOptions }) => readLogs(call("logs", { protocol, handle, tail, follow }, callOptions)),
      } satisfies Pick<RunnerDriver, "logs">)),
    ...(capabilities.includes("lifecycle") &&
      ({
        start: (handle, callOptions) => change("start", handle, { protocol, handle }, callOptions),
        stop: (handle, { graceMs = STOP_GRACE_MS, drainMs = graceMs, ...callOptions }) =>
          change("stop", handle, { protocol, handle, graceMs, drainMs }, callOptions, graceMs + drainMs),
        destroy: (handle, { volume = false, ...callOptions }) => change("destroy", handle, { protocol, handle, volume }, callOptions),
      } satisfies Pick<RunnerDriver, "start" | "stop" | "destroy">)),
    ...(capabilities.includes("list") && {
      async list(callOptions: CallOptions) {
        const { handles } = await callProgram(call("list", { protocol }, callOptions));
        return handles.map(handleOf);
      },
    }),
  };
  return checkDriver(driver, settings.command);
}

/** As the protocol has it, which knows no absent members. */
function forProgram(secrets: UrlSecrets | undefined): ProgramSecrets | undefined {
  if (secrets === undefined) return undefined;
  const { password, options } = secrets;
  return { ...(password !== undefined && { password }), ...(options !== undefined && { options }) };
}

/** What a program calls an error of `probe` is an answer: it can't be used here, and why. */
async function probe(call: CallProgram<"probe">): Promise<ProbeResult> {
  try {
    return redactValue(await callProgram(call), call.voice.hidden);
  } catch (error) {
    if (!RunnerError.is(error) || !ANSWERS.has(error.code)) throw error;
    return { available: false, reason: error.message, hint: error.hint, code: error.code };
  }
}

const ANSWERS: ReadonlySet<string> = new Set([
  "NOT_AVAILABLE",
  "NOT_FOUND",
  "NOT_RUNNING",
  "PERMISSION_DENIED",
  "CONNECTION_REFUSED",
  "NAME_NOT_RESOLVED",
  "UNSUPPORTED",
]);
