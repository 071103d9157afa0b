import { RunnerError } from "./runner-error.ts";

/**
 * A runner URL: `scheme://body?name=value&…`.
 *
 * Own grammar, because WHATWG URL takes the tag of `docker-image://alpine:3.20` for a port: the scheme is lower-cased,
 * the body stays as written (images, paths and Windows pipes are case-sensitive), parameters are form-encoded.
 * A fragment is refused; write `%23` for a literal `#`.
 */
export interface RunnerUrl {
  readonly scheme: string;
  /** Everything between `://` and the first `?`, as written. May hold credentials: print with `formatRunnerUrl`. */
  readonly body: string;
  /** Decoded parameters in their order; a name may repeat. */
  readonly params: readonly RunnerUrlParam[];
}

/** One parameter of a runner URL, decoded. */
export interface RunnerUrlParam {
  readonly name: string;
  readonly value: string;
}

const SCHEME = /^[a-z][a-z0-9.+-]*$/i;
const MAX_LENGTH = 8192;

/** Parses `text`. Fails with INVALID_URL. */
export function parseRunnerUrl(text: string): RunnerUrl {
  const input = text.trim();
  if (input.length > MAX_LENGTH) throw invalid(input, `it is longer than ${MAX_LENGTH} characters`);
  // eslint-disable-next-line no-control-regex -- control characters are just what is looked for
  if (/[\u0000-\u001f\u007f\s]/.test(input)) throw invalid(input, "it contains a space or a control character");
  const separator = input.indexOf("://");
  if (separator < 0) {
    throw invalid(
      input,
      'it has no "://"',
      SCHEME.test(input) ? `write ${input}://…` : "write it as scheme://address, for example docker-container://my-engine",
    );
  }
  const scheme = input.slice(0, separator);
  if (!SCHEME.test(scheme)) throw invalid(input, 'what stands before "://" is no scheme');
  const rest = input.slice(separator + 3);
  if (rest.includes("#")) throw invalid(input, "it has a fragment", "write %23 for a literal #");
  const question = rest.indexOf("?");
  return {
    scheme: scheme.toLowerCase(),
    body: question < 0 ? rest : rest.slice(0, question),
    params: question < 0 ? [] : parseParams(rest.slice(question + 1)),
  };
}

/**
 * The URL as text, fit for messages and logs: the password of `user:password@` and the values of secret parameters are `***`. Secret are
 * those in `secretParams` (a driver's options that are `secret`), and those whose names sound so, but for `…-file` and `…-path`.
 */
export function formatRunnerUrl(url: RunnerUrl, options: { readonly secretParams?: Iterable<string> } = {}): string {
  const secret = new Set(options.secretParams);
  const params = url.params.map(({ name, value }) => {
    const shown = secret.has(name) || soundsSecret(name) ? "***" : encodeParam(value);
    return `${encodeName(name)}=${shown}`;
  });
  return `${url.scheme}://${redactUserInfo(url.body)}${params.length === 0 ? "" : `?${params.join("&")}`}`;
}

/** The URL as text with nothing hidden, for programs only: `parseRunnerUrl` gives the same URL back. */
export function serializeRunnerUrl(url: RunnerUrl): string {
  const params = url.params.map(({ name, value }) => `${encodeName(name)}=${encodeParam(value)}`);
  return `${url.scheme}://${url.body}${params.length === 0 ? "" : `?${params.join("&")}`}`;
}

/** Where the password of `user:password@` stands in a body, perhaps with nothing in it; `undefined` when there is none. */
export function passwordSpan(body: string): { readonly start: number; readonly end: number } | undefined {
  if (body.startsWith("/")) return undefined;
  // An image digest (`name:tag@sha256:…`) looks like user info and is none.
  const rest = body.replace(/@sha\d+:[0-9a-f]*$/, "");
  const at = rest.lastIndexOf("@");
  const colon = rest.indexOf(":");
  return at < 0 || colon < 0 || colon > at ? undefined : { start: colon + 1, end: at };
}

/** Whether a parameter of that name is hidden though no driver calls it secret. The path of a file with a secret is none. */
export function soundsSecret(name: string): boolean {
  return SECRET_NAME.test(name) && !PATH_NAME.test(name);
}

const SECRET_NAME = /token|secret|passw|credential|api_?key/i;
const PATH_NAME = /[-_](file|path)$/i;

function parseParams(query: string): RunnerUrlParam[] {
  return [...new URLSearchParams(query)].map(([name, value]) => ({ name, value }));
}

function encodeParam(text: string): string {
  return encodeURIComponent(text).replace(/%(2F|3A|40|2C|3D)/g, (escape) => decodeURIComponent(escape));
}

/** Unlike a value, a name ends at the first `=`. */
function encodeName(text: string): string {
  return encodeParam(text).replaceAll("=", "%3D");
}

/**
 * Hides the password of `user:password@host`; the user name stays. A password with a `/` or an `@` in it, which should have been
 * encoded, is hidden as well.
 */
function redactUserInfo(body: string): string {
  const span = passwordSpan(body);
  return span === undefined ? body : `${body.slice(0, span.start)}***${body.slice(span.end)}`;
}

function invalid(input: string, reason: string, hint?: string): RunnerError {
  const address = input.split(/[?#]/, 1)[0] ?? "";
  const separator = address.indexOf("://");
  const known = separator >= 0 && SCHEME.test(address.slice(0, separator));
  const shown = known ? address.slice(0, separator + 3) + redactUserInfo(address.slice(separator + 3)) : redactUserInfo(address);
  return new RunnerError("INVALID_URL", `runner URL "${shown.slice(0, 200)}" can't be parsed: ${reason}`, { hint });
}
