import type { RawStream } from "./docker-client.ts";

export interface EndQuietlyOptions {
  /** How long the program may take to end by itself, in ms. */
  readonly graceMs: number;
  /** Called when it did not; its failure is nobody's concern. */
  readonly terminate?: (() => Promise<void>) | undefined;
}

/**
 * Gives an attached exec up: closes standard input, which ends a relay like `buildctl dial-stdio`, discards what it still
 * writes, and waits for the daemon to close the stream, which it does when the program has ended. Nothing of it keeps
 * the process alive. Resolves when the program is gone or the grace is over and `terminate` has run.
 */
export async function endQuietly(socket: RawStream, options: EndQuietlyOptions): Promise<void> {
  socket.on("error", () => undefined);
  if (socket.destroyed || socket.readableEnded) return void socket.destroy();
  socket.unref();
  const inTime = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), options.graceMs);
    timer.unref();
    socket.once("close", () => {
      clearTimeout(timer);
      resolve(true);
    });
    socket.resume();
    socket.end();
  });
  if (inTime) return;
  await options.terminate?.().catch(() => undefined);
  socket.destroy();
}
