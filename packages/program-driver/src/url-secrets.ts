import { redact, type JsonValue, type OptionSpec, type OptionValues, type RunnerUrl } from "@anyrunner/core/driver";
import type { ProgramSecrets } from "@anyrunner/core/driver-protocol";

/** What is secret in a URL: the values that go to the program, and every text that must not come back. */
export interface UrlSecrets {
  readonly forProgram: ProgramSecrets | undefined;
  readonly hidden: readonly string[];
}

export const NO_SECRETS: UrlSecrets = { forProgram: undefined, hidden: [] };

export function secretsOfUrl(url: RunnerUrl, specs: readonly OptionSpec[], values: OptionValues<readonly OptionSpec[]>): UrlSecrets {
  const options: Record<string, readonly string[]> = {};
  for (const { name, secret } of specs) {
    const given = secret ? [values[name] ?? []].flat().map(String) : [];
    if (given.length > 0) options[name] = given;
  }
  const password = passwordOf(url.body);
  const hidden = [...Object.values(options).flat(), ...(password === undefined ? [] : spellings(password))];
  if (hidden.length === 0) return NO_SECRETS;
  return {
    forProgram: { ...(password !== undefined && { password }), ...(Object.keys(options).length > 0 && { options }) },
    hidden: hidden.flatMap(spellings),
  };
}

/** The value with every text in it redacted, names of members included. */
export function redactValue<T>(value: T, hidden: readonly string[]): T {
  return hidden.length === 0 ? value : (redactJson(value as JsonValue, hidden) as T);
}

/** Whether a secret stands anywhere in a value. */
export function holdsSecret(value: unknown, hidden: readonly string[]): boolean {
  const text = JSON.stringify(value);
  return hidden.some((secret) => secret.length > 2 && (text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1))));
}

function redactJson(value: JsonValue | undefined, hidden: readonly string[]): JsonValue | undefined {
  if (typeof value === "string") return redact(value, hidden);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => redactJson(item, hidden) as JsonValue);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [redact(name, hidden), redactJson(member as JsonValue, hidden)]));
}

/** As `formatRunnerUrl` sees it: from the first `:` to the last `@`. */
function passwordOf(body: string): string | undefined {
  if (body.startsWith("/")) return undefined;
  const at = body.lastIndexOf("@");
  const colon = body.indexOf(":");
  return at < 0 || colon < 0 || colon > at || colon + 1 === at ? undefined : body.slice(colon + 1, at);
}

/** A program may say it decoded. */
function spellings(secret: string): readonly string[] {
  try {
    return [...new Set([secret, decodeURIComponent(secret), encodeURIComponent(secret)])];
  } catch {
    return [secret];
  }
}
