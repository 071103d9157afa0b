import type { Http2Session } from "node:http2";
import type { Duplex } from "node:stream";

/**
 * Ends a session in good order, or, when its streams have not ended after `graceMs`, by force, and its transport with it: node would end that
 * in good order and wait for the peer to do so too, for ever if the peer takes nothing any more.
 */
export async function closeSession(session: Http2Session, transport: Duplex, graceMs: number): Promise<void> {
  if (session.destroyed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      session.destroy();
      transport.destroy();
    }, graceMs);
    session.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    session.close();
  });
}
