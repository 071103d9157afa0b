import { passwordOf, secretTexts, type OptionSpec, type OptionValues, type RunnerUrl } from "@anyrunner/core/driver";
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
  const password = passwordOf(url);
  const hidden = secretTexts(url, specs);
  if (hidden.length === 0) return NO_SECRETS;
  return { forProgram: { ...(password !== undefined && { password }), ...(Object.keys(options).length > 0 && { options }) }, hidden };
}

/** Whether a secret stands anywhere in a value. */
export function holdsSecret(value: unknown, hidden: readonly string[]): boolean {
  const text = JSON.stringify(value);
  return hidden.some((secret) => secret.length > 2 && (text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1))));
}
