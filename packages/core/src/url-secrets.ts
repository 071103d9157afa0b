import type { OptionSpec } from "./option-spec.ts";
import type { RunnerUrl } from "./runner-url.ts";

/** Every text that must not be shown of a URL: its password and the values of its secret parameters, in each way that they may be spelt. */
export function secretTexts(url: RunnerUrl, specs: readonly OptionSpec[]): readonly string[] {
  const names = new Set(specs.filter(({ secret }) => secret).map(({ name }) => name));
  const values = url.params.filter(({ name }) => names.has(name)).map(({ value }) => value);
  const password = passwordOf(url);
  return [...new Set([...values, password ?? []].flat().flatMap(spellings))];
}

/** As it stands in the body, where `formatRunnerUrl` hides it. */
export function passwordOf({ body }: RunnerUrl): string | undefined {
  if (body.startsWith("/")) return undefined;
  // An image digest (`name:tag@sha256:…`) looks like user info and is none.
  const rest = body.replace(/@sha\d+:[0-9a-f]*$/, "");
  const at = rest.lastIndexOf("@");
  const colon = rest.indexOf(":");
  return at < 0 || colon < 0 || colon + 1 >= at ? undefined : rest.slice(colon + 1, at);
}

/** Whoever shows it may have decoded it, or encoded it. */
function spellings(secret: string): readonly string[] {
  const encoded = encodeURIComponent(secret);
  try {
    return [secret, encoded, decodeURIComponent(secret)];
  } catch {
    return [secret, encoded];
  }
}
