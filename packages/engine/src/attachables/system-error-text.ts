import { getSystemErrorMap } from "node:util";

interface SystemError {
  readonly errors?: readonly unknown[];
  readonly errno?: unknown;
  readonly message?: unknown;
}

/** What Node says in words of its own. */
const SYSTEM_WORDS: Readonly<Record<string, string>> = {
  EEXIST: "file exists",
  EISDIR: "is a directory",
  ELOOP: "too many levels of symbolic links",
  ENAMETOOLONG: "file name too long",
};

/** What the operating system says, without Node's additions: `connection refused`. Of a host with several addresses, the first failure. */
export function systemErrorText(error: unknown): string {
  const { errors, errno, message } = error as SystemError;
  if (errors?.[0] !== undefined) return systemErrorText(errors[0]);
  const [code = "", text] = (typeof errno === "number" ? getSystemErrorMap().get(errno) : undefined) ?? [];
  return SYSTEM_WORDS[code] ?? text ?? String(message ?? error);
}
