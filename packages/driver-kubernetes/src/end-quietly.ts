import { CHANNEL, CLOSE_STDIN, type ExecSocket } from "./exec-socket.ts";

/**
 * Gives an exec up that can end its input alone: ends it, and discards what the program still writes, until it has ended or the
 * grace is over. Cut off at once, a program that is just writing would wait for its reader as long as the container lives. Nothing of it
 * keeps the process alive.
 */
export function endQuietly({ socket, raw, graceMs }: Pick<ExecSocket, "socket" | "raw"> & { readonly graceMs: number }): void {
  if (socket.readyState !== socket.OPEN) {
    socket.terminate();
    return;
  }
  const timer = setTimeout(() => socket.terminate(), graceMs);
  timer.unref();
  raw?.unref();
  socket.once("close", () => clearTimeout(timer));
  socket.on("message", (frame: Buffer) => {
    if (frame[0] === CHANNEL.status && frame.length > 1) socket.terminate();
  });
  socket.send(CLOSE_STDIN, { binary: true }, () => undefined);
  socket.resume();
}
