import type { RawStream } from "./docker-client.ts";

export interface EndQuietlyOptions {
  /** How long the program may take to end by itself, in ms. */
  readonly graceMs: number;
  /** Called when it did not; its failure is nobody's concern. */
  readonly terminate?: (() => Promise<void>) | undefined;
}

/** A busy daemon says that it has started a program before it is there to be found: who looks for it once may come too early. */
const TERMINATIONS = 4;

/**
 * Gives an attached exec up: closes standard input, which ends a relay like `buildctl dial-stdio`, discards what it still
 * writes, and waits for the daemon to close the stream, which it does when the program has ended. Nothing of it keeps
 * the process alive. Resolves when the program is gone, or when the grace was over and `terminate` has failed or didn't help.
 */
export async function endQuietly(socket: RawStream, options: EndQuietlyOptions): Promise<void> {
  socket.on("error", () => undefined);
  if (socket.destroyed || socket.readableEnded) return void socket.destroy();
  socket.unref();
  socket.resume();
  socket.end();
  await terminateUntilClosed(socket, options);
  socket.destroy();
}

async function terminateUntilClosed(socket: RawStream, { graceMs, terminate }: EndQuietlyOptions): Promise<void> {
  for (let left = TERMINATIONS; !(await closesWithin(socket, graceMs)); left--) {
    if (terminate === undefined || left === 0) return;
    try {
      await terminate();
    } catch {
      return;
    }
  }
}

function closesWithin(socket: RawStream, budgetMs: number): Promise<boolean> {
  if (socket.closed) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (isClosed: boolean) => {
      clearTimeout(timer);
      socket.off("close", onClose);
      resolve(isClosed);
    };
    const onClose = () => settle(true);
    const timer = setTimeout(settle, budgetMs, false);
    timer.unref();
    socket.once("close", onClose);
  });
}
