import { openEngineUses } from "@anyrunner/config";
import type { EngineSession } from "@anyrunner/engine";

/**
 * The same session, which lets other processes of this user know as long as it lives that its engine is in use. Only engines that
 * anyrunner made are noted: no other is ever stopped for being idle.
 */
export function holdLease(session: EngineSession, { env }: { readonly env: Readonly<Record<string, string | undefined>> }): EngineSession {
  const { handle } = session.runner;
  if (!handle.owned) return session;
  const lease = openEngineUses({ env }).lease(handle);
  const release = async () => (await lease).release();
  let released: Promise<void> | undefined;
  void session.ended.then(() => (released ??= release()));
  return {
    ...session,
    async close() {
      await session.close();
      await (released ??= release());
    },
  };
}
