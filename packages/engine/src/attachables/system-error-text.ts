import { getSystemErrorMap } from "node:util";

/** What the operating system says, without Node's additions: `connection refused`. Of a host with several addresses, the first failure. */
export function systemErrorText(error: unknown): string {
  const { errors, errno, message } = error as { readonly errors?: readonly unknown[]; readonly errno?: unknown; readonly message?: unknown };
  if (errors?.[0] !== undefined) return systemErrorText(errors[0]);
  const text = typeof errno === "number" ? getSystemErrorMap().get(errno)?.[1] : undefined;
  return text ?? String(message ?? error);
}
