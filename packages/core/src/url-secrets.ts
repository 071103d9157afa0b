import type { UrlSecrets } from "./driver.ts";
import type { OptionSpec } from "./option-spec.ts";
import { passwordSpan, soundsSecret, type RunnerUrl } from "./runner-url.ts";

/** What is secret in a URL, as drivers get it with each call; `undefined` when nothing is. `specs`: the options of the driver. */
export function urlSecrets(url: RunnerUrl, specs: readonly OptionSpec[]): UrlSecrets | undefined {
  const password = passwordOf(url);
  const options: Record<string, string[]> = {};
  for (const { name, value } of url.params) if (isSecret(specs, name)) (options[name] ??= []).push(value);
  const hasOptions = Object.keys(options).length > 0;
  if (password === undefined && !hasOptions) return undefined;
  return { ...(password !== undefined && { password: decoded(password) }), ...(hasOptions && { options }) };
}

/** Every text that must not be shown, in each way that it may be spelt. `specs`: the options of the driver. */
export function secretTexts({ password, options = {} }: UrlSecrets = {}, specs: readonly OptionSpec[] = []): readonly string[] {
  const values = Object.entries(options).flatMap(([name, given]) => given.flatMap((value) => secretParts(specs, name, value)));
  return spellings([...values, ...(password === undefined ? [] : [password])]);
}

/** The same for a whole URL: what the driver calls secret, what sounds secret, and the password as it was written, too. */
export function secretTextsOf(url: RunnerUrl, specs: readonly OptionSpec[]): readonly string[] {
  const written = passwordOf(url);
  const sounding = url.params.filter(({ name }) => soundsSecret(name)).map(({ value }) => value);
  return [...new Set([...secretTexts(urlSecrets(url, specs), specs), ...spellings(sounding), ...(written === undefined ? [] : [written])])];
}

/** As it stands in the body, where `formatRunnerUrl` hides it. */
function passwordOf({ body }: RunnerUrl): string | undefined {
  const span = passwordSpan(body);
  return span === undefined || span.start === span.end ? undefined : body.slice(span.start, span.end);
}

function isSecret(specs: readonly OptionSpec[], name: string): boolean {
  return specs.some((spec) => spec.name === name && spec.secret === true);
}

/** Shorter ones than that stand in many a message for other reasons: `true`, `linux`, `docker`. */
const SHORTEST_PART = 8;

function secretParts(specs: readonly OptionSpec[], name: string, value: string): readonly string[] {
  const after = specs.find((spec) => spec.name === name)?.secretAfter;
  if (after === undefined) return [value];
  const at = value.indexOf(after);
  if (at < 0) return [];
  const part = value.slice(at + after.length);
  return part.length < SHORTEST_PART ? [value] : [value, part];
}

/** Whoever shows it may have decoded it, or encoded it. */
function spellings(secrets: readonly string[]): readonly string[] {
  return [...new Set(secrets.flatMap((secret) => [secret, decoded(secret), encodeURIComponent(secret.toWellFormed())]))];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
