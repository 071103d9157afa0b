import { formatRunnerUrl, parseRunnerUrl, serializeRunnerUrl, type Reporter } from "@anyrunner/core";

/**
 * Warns of a URL in the arguments that holds a secret: everyone on the machine can read it in the list of processes, and the shell may
 * have kept it. Which parameters only their driver calls secret is not known here.
 */
export function warnOfVisibleSecrets(report: Reporter, texts: readonly (string | undefined)[]): void {
  if (texts.some(holdsSecret)) warnOfVisibleSecret(report);
}

export function warnOfVisibleSecret(report: Reporter): void {
  report({
    type: "warning",
    id: "secret-in-arguments",
    message: "the list of processes shows the secret in this URL to everyone on this machine",
    hint: "give the runner a name, by a URL from standard input: anyrunner add NAME -",
  });
}

/** A URL in a parameter, such as a proxy's. */
function holdsPassword(value: string): boolean {
  return URL.canParse(value) && new URL(value).password !== "";
}

function holdsSecret(text: string | undefined): boolean {
  if (text === undefined || !text.includes("://")) return false;
  try {
    const url = parseRunnerUrl(text);
    return formatRunnerUrl(url) !== serializeRunnerUrl(url) || url.params.some(({ value }) => holdsPassword(value));
  } catch {
    // What is wrong with it is said by whoever uses it.
    return false;
  }
}
