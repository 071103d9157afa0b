import { isRunnerName, type UserSettings } from "@anyrunner/config";
import { RunnerError, suggest } from "@anyrunner/core";

/** The URL that a text names: itself, or what the user's store has under that name. Fails with INVALID_URL for an unknown name. */
export function urlOfName(text: string, { runners = {} }: UserSettings): { readonly url: string; readonly name?: string } {
  const name = text.trim();
  if (name.includes("://") || !isRunnerName(name)) return { url: text };
  const runner = Object.hasOwn(runners, name) ? runners[name] : undefined;
  if (runner !== undefined) return { url: runner.url, name };
  const nearest = suggest(name, Object.keys(runners));
  throw new RunnerError("INVALID_URL", `"${name}" can't be parsed as a runner: it is no URL, and no runner has that name`, {
    hint: `${nearest === undefined ? "" : `did you mean "${nearest}"?\n`}if it is a scheme, write all of the URL: ${name}://…\nif it is to be a name, say what it stands for: anyrunner add ${name} URL`,
    details: { name },
  });
}
