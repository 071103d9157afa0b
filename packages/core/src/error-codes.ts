/** What a code means, why it happens and what to do; `docs/errors.md` is made from this table. */
export interface ErrorCodeEntry {
  readonly summary: string;
  readonly cause: string;
  readonly remedy: string;
}

/** The closed list of error codes. A driver in any language reports one of these. */
export const ERROR_CODES = {
  INVALID_URL: {
    summary: "The runner URL breaks the grammar of its scheme.",
    cause: "A part of the URL is missing, malformed or not allowed for this scheme.",
    remedy: "Compare it with the URLs in the README of the scheme's driver; `anyrunner drivers` names its package.",
  },
  INVALID_OPTION: {
    summary: "A parameter behind the `?` of a runner URL is unknown or has a value of the wrong type.",
    cause: "Usually a misspelling; unknown parameters are refused instead of ignored.",
    remedy: "Use the name that the message suggests; `anyrunner drivers NAME` lists every parameter of a driver or scheme.",
  },
  INVALID_CONFIG: {
    summary: "A configuration file or an environment variable can't be understood.",
    cause: "Broken YAML or JSON, an unknown key, or a value of the wrong type.",
    remedy: "Correct the file and place that the message names.",
  },
  USAGE: {
    summary: "A command was called with wrong arguments.",
    cause: "An unknown command or flag, or a missing argument.",
    remedy: "See `anyrunner --help`.",
  },
  NO_RUNNER: {
    summary: "Nothing says which runner to use, and none was found.",
    cause: "No flag, variable, project file or user choice names a runner; where a local runtime was asked for an engine, the message says what it had.",
    remedy:
      "Name a runner: `--runner URL`, `anyrunner use URL`, the variable `ANYRUNNER_RUNNER`, or `runner:` in `anyrunner.config.yaml`; `--runner embedded://` needs only Docker or Podman.",
  },
  UNKNOWN_SCHEME: {
    summary: "No driver is registered for the scheme of the URL.",
    cause: "A misspelt scheme, or a driver that this project doesn't declare, or names without having it installed.",
    remedy: "`anyrunner drivers` lists the schemes; if you have a driver for it, `anyrunner drivers add NAME`, or add its package to the project.",
  },
  DRIVER_NOT_INSTALLED: {
    summary: "The package of a known driver is not installed.",
    cause: "Drivers with large dependencies are installed on first use.",
    remedy: "Run the install command of the hint.",
  },
  DRIVER_INVALID: {
    summary: "A driver was found but can't be used.",
    cause: "It fails while loading, exports no driver, or breaks the interface.",
    remedy: "Report it to the driver's author; the cause is attached.",
  },
  SPEC_MISMATCH: {
    summary: "A driver was written for another version of the driver interface.",
    cause: "Its `specVersion` is not one that this anyrunner knows.",
    remedy: "Update the driver or anyrunner, whichever is older.",
  },
  NOT_AVAILABLE: {
    summary: "None of the candidates for a scheme can be used here.",
    cause: "Each candidate was probed; the message lists every reason: a program or service that the driver needs on this machine is missing, or too old.",
    remedy: "Mend one of the listed reasons, or choose another runner.",
  },
  NOT_FOUND: {
    summary: "The runner that the URL names does not exist.",
    cause: "No such container, pod, socket or file; a missing program that a driver needs is `NOT_AVAILABLE` instead.",
    remedy: "Check the name; the hint says how to list what there is.",
  },
  NOT_RUNNING: {
    summary: "The runner exists but is stopped.",
    cause: "Its container was stopped, or died; the message says its state and exit code.",
    remedy: "Start it, with the command of the hint.",
  },
  ALREADY_EXISTS: {
    summary: "Something of that name is there already and is not ours.",
    cause: "A container, volume or file made by someone else has the name.",
    remedy: "Choose another name, or remove the other thing yourself.",
  },
  PERMISSION_DENIED: {
    summary: "The operating system, the daemon or your own list of allowed drivers refused access.",
    cause: "Missing membership of a group, file mode, or access rule; or a driver of the project that you haven't allowed to run.",
    remedy: "Do what the hint says, or use an account that may.",
  },
  AUTH_FAILED: {
    summary: "A token or a credential was refused.",
    cause: "The session token, client certificate or registry login is wrong or has expired.",
    remedy: "Renew the credential that the message names.",
  },
  NAME_NOT_RESOLVED: {
    summary: "A host name has no address.",
    cause: "A misspelling, or DNS that doesn't know the name here.",
    remedy: "Check the name and the resolver.",
  },
  CONNECTION_REFUSED: {
    summary: "Nothing listens at the address.",
    cause: "The engine or daemon is not running, or uses another port or socket.",
    remedy: "Start it, or correct the address.",
  },
  TLS_FAILED: {
    summary: "The TLS handshake failed.",
    cause: "An unknown authority, an expired certificate, a wrong name, or a missing client certificate.",
    remedy: "Check the certificates that the message names.",
  },
  CONNECTION_LOST: {
    summary: "A connection that worked has ended.",
    cause: "The engine died, was stopped, ran out of memory, or the network was cut.",
    remedy: "Look at the runner's state in the message; then try again.",
  },
  WRONG_SERVER: {
    summary: "Something answered, but it is no Dagger engine.",
    cause: "Another service listens there, or the container runs another program.",
    remedy: "Point the URL at a Dagger engine.",
  },
  VERSION_MISMATCH: {
    summary: "Client and engine don't accept each other's version.",
    cause: "One is older than the oldest that the other supports.",
    remedy: "Use an engine inside the window that the message names.",
  },
  ENGINE_CHANGED: {
    summary: "Two connections of one session reached different engines.",
    cause: "The address balances between engines; a session must stay on one.",
    remedy: "Address one engine directly, or switch on affinity in the load balancer.",
  },
  IMAGE_PULL_FAILED: {
    summary: "A container image could not be pulled.",
    cause: "It does not exist, needs a login, or the registry can't be reached.",
    remedy: "Pull it by hand to see more; check the name and the login.",
  },
  TIMEOUT: {
    summary: "A budget ran out.",
    cause: "Something stayed transiently unavailable for the whole budget; the message has the last reason.",
    remedy: "Mend the last reason, or raise the budget.",
  },
  ABORTED: {
    summary: "The caller cancelled.",
    cause: "A signal was aborted; this is not a failure.",
    remedy: "Nothing to do.",
  },
  UNSUPPORTED: {
    summary: "This runner can't do what was asked.",
    cause: "The message names the field, option or ability.",
    remedy: "Use a runner that can, as the hint says.",
  },
  QUERY_FAILED: {
    summary: "The engine answered a query with errors.",
    cause: "The pipeline failed; the message is the engine's.",
    remedy: "Correct the pipeline.",
  },
  COMMAND_FAILED: {
    summary: "A program that was started ended with an error.",
    cause: "The message has its exit code and the end of its standard error.",
    remedy: "Run the program by hand to see more.",
  },
  INTERNAL: {
    summary: "A defect in anyrunner or in a driver.",
    cause: "Something happened that the code does not expect.",
    remedy: "Report it with the details that were printed.",
  },
} as const satisfies Record<string, ErrorCodeEntry>;

/** One of the closed list. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Whether a value is a code of the closed list. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(ERROR_CODES, value);
}
