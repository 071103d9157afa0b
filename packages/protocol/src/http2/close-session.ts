import type { Http2Session } from "node:http2";

/** Ends a session in good order, or, when its streams have not ended after `graceMs`, by force. */
export async function closeSession(session: Http2Session, graceMs: number): Promise<void> {
  if (session.destroyed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => session.destroy(), graceMs);
    session.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    session.close();
  });
}
