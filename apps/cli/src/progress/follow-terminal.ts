import type { LiveDrawing } from "./live-drawing.ts";

/**
 * Lets a drawing live with its terminal: it follows changes of the size, leaves before this process ends in whatever way or is stopped
 * (Ctrl-Z), and comes back with it. Gives what ends that.
 */
export function followTerminal(drawing: LiveDrawing, stream: NodeJS.EventEmitter): () => void {
  const onExit = () => drawing.close();
  const onResize = () => drawing.changed();
  const onStop = () => {
    const comeBack = drawing.hold();
    // The system's own answer to the signal, which depends on whether a shell is there that could wake us.
    process.off("SIGTSTP", onStop);
    process.kill(process.pid, "SIGTSTP");
    setImmediate(() => {
      if (following) process.on("SIGTSTP", onStop);
      comeBack();
    });
  };
  let following = true;
  process.on("exit", onExit);
  stream.on("resize", onResize);
  if (process.platform !== "win32") process.on("SIGTSTP", onStop);
  return () => {
    following = false;
    process.off("exit", onExit).off("SIGTSTP", onStop);
    stream.off("resize", onResize);
  };
}
