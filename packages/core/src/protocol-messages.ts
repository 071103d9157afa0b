import { ERROR_CODES, type ErrorCode } from "./error-codes.ts";
import { anyObject, either, exactly, flag, integer, list, map, object, oneOf, text, type JsonSchema, type ValueOf } from "./json-schema.ts";

/**
 * The protocol of drivers that are programs, version 1. A program `anyrunner-driver-<scheme>` is started once for each call, with the
 * verb as its last argument. It reads one request from standard input and writes one answer to standard output, each a JSON document on
 * a line of its own; before the answer it may write lines with events. docs/reference/driver-protocol.md tells the rest.
 */
export const PROTOCOL_VERSION = 1;

/** What a driver program can be asked: its last argument. */
export const DRIVER_VERBS = ["describe", "parse", "probe", "provision", "connect", "inspect", "logs", "start", "stop", "destroy", "list"] as const;

/** One of `DRIVER_VERBS`. */
export type DriverVerb = (typeof DRIVER_VERBS)[number];

const errorCodes = Object.keys(ERROR_CODES) as ErrorCode[];
const scheme = text({ pattern: "^[a-z][a-z0-9.+-]*$", description: "lower case, without ://" });
const budgetMs = integer({ minimum: 0, description: "how long the call may take; the program is ended after that" });
const protocol = integer({ minimum: 1, description: "the version that describe has chosen" });

const url = object(
  {
    scheme,
    body: text({ description: "what stands between :// and the first ?, as written; may hold a password" }),
    params: list(object({ name: text(), value: text() }), { description: "decoded, in their order; a name may repeat" }),
  },
  {},
  { description: "scheme://body?name=value&…" },
);

const optionValue = either([text(), flag(), integer(), list(either([text(), flag(), integer()]))]);

const option = object(
  { name: text({ minLength: 1 }), type: oneOf(["string", "boolean", "integer"]), help: text({ minLength: 1 }) },
  {
    default: either([text(), flag(), integer()]),
    secret: flag({ description: "the value is hidden wherever the URL is shown, and reaches the program in `secrets` of each request" }),
    repeatable: flag({ description: "may be given more than once; its value is a list" }),
    choices: list(text(), { minItems: 1 }),
  },
  { description: "a parameter of the driver's URLs" },
);

const secrets = object(
  {},
  {
    password: text({ description: "the password of user:password@ in the URL, decoded: p%40ss is p@ss" }),
    options: map(list(text()), { description: "the values of secret options" }),
  },
  {
    description:
      "what is secret in the URL, where that is known: a request for a runner that is named by the id of its handle alone comes without. Keep it out of targets, handles, messages and arguments",
  },
);

const target = anyObject({ description: "what a URL means to the driver; no secrets in it" });

const handle = object(
  {
    id: text({ minLength: 1, description: "the same runner has the same id for every caller" }),
    endpoint: anyObject({ description: "what the driver needs to connect again; no secrets in it" }),
    owned: flag({ description: "whether this driver made it; needs the capability provision" }),
  },
  { labels: map(text(), { description: "words about the runner for lists" }) },
  { description: "a runner that exists; it may be stored, and used by another process later" },
);

const event = either(
  [
    object({ type: exactly("warning"), id: text({ minLength: 1, description: "stable, so that it is shown once" }), message: text() }, { hint: text() }),
    object({ type: exactly("progress"), id: text({ minLength: 1 }), message: text() }, { current: integer(), total: integer(), unit: text(), done: flag() }),
  ],
  { description: "something for the user, before the answer" },
);

const error = object(
  {
    code: oneOf(errorCodes, { description: "of the closed list in docs/errors.md" }),
    message: text({ minLength: 1, description: "one sentence that names the thing" }),
  },
  {
    hint: text({ description: "one imperative sentence: what the reader can do" }),
    details: anyObject({ description: "plain facts for programs" }),
    retryable: flag({ description: "trying again can help without anyone changing anything" }),
  },
);

const capability = oneOf(["provision", "half-close", "inspect", "logs", "lifecycle", "list"]);

const description = object(
  {
    specVersion: exactly(1),
    name: text({ pattern: "^[a-z][a-z0-9-]*$", description: "what follows anyrunner-driver- in the program's name; + and . become -" }),
    schemes: list(scheme, { minItems: 1 }),
    capabilities: list(capability),
    options: list(option),
  },
  { version: text({ description: "of the program, for who calls it by hand" }) },
);

const halfClose = flag({ description: "ending the writing side still lets the answer arrive; default: whether the capability half-close is declared" });
const kind = oneOf(["socket", "relay"], { description: "whether the engine itself listens there, or something that copies bytes; default relay" });

const connection = either([
  object({ via: exactly("stdio") }, { halfClose }),
  object({ via: exactly("unix"), path: text({ pattern: "^/", description: "of a Unix socket that we dial" }) }, { kind, halfClose }),
  object(
    {
      via: exactly("loopback"),
      port: integer({ minimum: 1, maximum: 65_535, description: "at 127.0.0.1" }),
      token: text({ pattern: "^[!-~]{16,256}$", description: "what we write first, with a line feed: who can't say it is no caller of yours" }),
    },
    { kind, halfClose },
  ),
]);

const state = object(
  { status: oneOf(["running", "starting", "stopped", "missing", "unknown"]) },
  { image: text(), startedAt: text({ description: "ISO 8601" }), exitCode: integer(), oomKilled: flag(), details: anyObject() },
);

const probeResult = either([
  object({ available: exactly(true) }, { detail: text() }),
  object({ available: exactly(false), reason: text({ minLength: 1 }) }, { hint: text(), code: oneOf(errorCodes) }),
]);

const done = object({}, {}, { description: "nothing to say" });

/** What stands in the answer under `result`, by verb. */
export const DRIVER_RESULTS = {
  describe: object({ protocol: integer({ minimum: 1, description: "one of those that were offered" }), driver: description }),
  parse: object({ target }),
  probe: probeResult,
  provision: object({ handle }, { started: flag({ description: "this call started it: we wait until the engine in it answers" }) }),
  connect: connection,
  inspect: state,
  logs: object({}, {}, { description: "after this line standard output is the log itself, UTF-8, until its end" }),
  start: done,
  stop: done,
  destroy: done,
  list: object({ handles: list(handle) }),
} as const satisfies Record<DriverVerb, JsonSchema>;

/** The result of a verb. */
export type DriverResult<Verb extends DriverVerb> = ValueOf<(typeof DRIVER_RESULTS)[Verb]>;

const onTarget = { protocol, budgetMs, target } as const;
const onHandle = { protocol, budgetMs, handle } as const;

/** The request of each verb: what a program reads from standard input. */
export const DRIVER_REQUESTS = {
  describe: object({ verb: exactly("describe"), protocols: list(integer({ minimum: 1 }), { minItems: 1, description: "those that we speak" }), budgetMs }),
  parse: object({
    verb: exactly("parse"),
    protocol,
    budgetMs,
    url,
    options: map(optionValue, { description: "the parameters, checked against the driver's options, with their types and defaults" }),
  }),
  probe: object({ verb: exactly("probe"), ...onTarget }, { secrets }),
  provision: object(
    { verb: exactly("provision"), ...onTarget },
    { secrets, waitMs: integer({ minimum: 0, description: "how long to wait for a runner that is there and on its way; default: the driver's own patience" }) },
  ),
  connect: object({ verb: exactly("connect"), ...onHandle }, { secrets }),
  inspect: object({ verb: exactly("inspect"), ...onHandle }, { secrets }),
  logs: object(
    {
      verb: exactly("logs"),
      ...onHandle,
      tail: integer({ minimum: 0, description: "how many of the last lines to begin with" }),
      follow: flag({ description: "go on with what is written from now on" }),
    },
    { secrets },
  ),
  start: object({ verb: exactly("start"), ...onHandle }, { secrets }),
  stop: object(
    {
      verb: exactly("stop"),
      ...onHandle,
      graceMs: integer({ minimum: 0, description: "how long the engine may take to shut down" }),
      drainMs: integer({
        minimum: 0,
        description: "how long its sessions may take to end before that; at 0 an engine that is in use, or can't say, is left alone: TIMEOUT",
      }),
    },
    { secrets },
  ),
  destroy: object({ verb: exactly("destroy"), ...onHandle, volume: flag({ description: "remove the cache volume, too" }) }, { secrets }),
  list: object({ verb: exactly("list"), protocol, budgetMs }),
} as const satisfies Record<DriverVerb, JsonSchema>;

/** The request of a verb. */
export type DriverRequest<Verb extends DriverVerb> = ValueOf<(typeof DRIVER_REQUESTS)[Verb]>;

/** The parts that several messages share, by the names that they have in the published schema. */
export const DRIVER_PARTS = { Url: url, Option: option, Secrets: secrets, Handle: handle, Event: event, Error: error, Description: description } as const;

/** What stands under `event` in a line of a program. */
export type ProgramEvent = ValueOf<typeof event>;
/** What stands under `error` in the last line of a program that failed. */
export type ProgramError = ValueOf<typeof error>;
/** What a program says of its driver when it is asked to `describe` it. */
export type ProgramDescription = ValueOf<typeof description>;
/** What a program gets to know of the secrets of a URL. */
export type ProgramSecrets = ValueOf<typeof secrets>;
