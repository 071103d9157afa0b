import { CHANNEL, CLOSE_STDIN, type ExecSocket } from "./exec-socket.ts";

/** A program that has been silent for so long is taken to wait for input, where its input can only be ended by a cut. */
const SILENCE_MS = 1000;

/**
 * Gives an exec up: ends its input where that can be ended alone, and discards what the program still writes, until it has ended, is silent with an input that
 * can't be ended, or the grace is over. Cut off at once, a program that is just writing would wait for its reader as long as the container lives.
 * Nothing of it keeps the process alive.
 */
export function endQuietly({ socket, raw, halfClose, graceMs }: ExecSocket & { readonly graceMs: number }): void {
  if (socket.readyState !== socket.OPEN) {
    socket.terminate();
    return;
  }
  const cut = () => socket.terminate();
  const grace = setTimeout(cut, graceMs).unref();
  const silence = halfClose ? undefined : setTimeout(cut, SILENCE_MS).unref();
  raw?.unref();
  socket.once("close", () => {
    clearTimeout(grace);
    clearTimeout(silence);
  });
  socket.on("message", (frame: Buffer) => {
    if (frame[0] === CHANNEL.status && frame.length > 1) cut();
    silence?.refresh();
  });
  if (halfClose) socket.send(CLOSE_STDIN, { binary: true }, () => undefined);
  socket.resume();
}
