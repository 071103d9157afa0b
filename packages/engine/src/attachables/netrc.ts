import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "./disk-error.ts";

export interface NetrcLogin {
  readonly username: string;
  readonly password: string;
}

/** The login for a host in `~/.netrc`: the first entry of that machine, or `default`. Undefined when there is none, or no file. */
export async function netrcLogin(home: string, host: string): Promise<NetrcLogin | undefined> {
  let text: string;
  try {
    text = await readFile(join(home, ".netrc"), "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  return parseNetrc(text).find(({ machine }) => machine === undefined || machine === host);
}

interface Entry extends NetrcLogin {
  /** Undefined for `default`. */
  readonly machine: string | undefined;
}

/** Entries in the order of the file. A macro reaches to the next empty line. */
export function parseNetrc(text: string): readonly Entry[] {
  const words = text
    .replaceAll(/^[ \t]*#.*$/gm, "")
    .replaceAll(/\bmacdef\b[^]*?(?:\n[ \t]*\n|$)/g, "\n")
    .split(/\s+/)
    .filter((word) => word !== "");
  const entries: { machine: string | undefined; username: string; password: string }[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const entry = entries.at(-1);
    if (words[index] === "default") entries.push({ machine: undefined, username: "", password: "" });
    else if (words[index] === "machine") entries.push({ machine: words[(index += 1)] ?? "", username: "", password: "" });
    else if (words[index] === "login" && entry !== undefined) entry.username = words[(index += 1)] ?? "";
    else if (words[index] === "password" && entry !== undefined) entry.password = words[(index += 1)] ?? "";
    else if (words[index] === "account") index += 1;
  }
  return entries;
}
