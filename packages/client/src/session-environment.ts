import type { TraceContext } from "@anyrunner/engine";

/** What a child process must have in its environment to use a session (engine protocol 6.2). */
export type SessionEnvironment = Readonly<Record<"DAGGER_SESSION_PORT" | "DAGGER_SESSION_TOKEN", string> & { TRACEPARENT?: string }>;

/** The variables for a session behind a loopback port. The token in them is a secret. */
export async function sessionEnvironment(
  { port, token }: { readonly port: number; readonly token: string },
  trace?: TraceContext,
): Promise<SessionEnvironment> {
  const variables = { DAGGER_SESSION_PORT: String(port), DAGGER_SESSION_TOKEN: token };
  if (trace === undefined) return variables;
  const { formatTraceparent } = await import("@anyrunner/engine");
  return { ...variables, TRACEPARENT: formatTraceparent(trace) };
}
