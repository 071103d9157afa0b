import type { LiveDrawing } from "./live-drawing.ts";

/**
 * Lets a drawing live with its terminal: it follows changes of the size, leaves before this process ends in whatever way or is stopped
 * (Ctrl-Z), and comes back with it. Gives what ends that.
 */
export function followTerminal(drawing: LiveDrawing, stream: NodeJS.EventEmitter): () => void {
  const onExit = () => drawing.close();
  const onResize = () => drawing.changed();
  let comeBack: (() => void) | undefined;
  const onStop = () => {
    comeBack ??= drawing.hold();
    process.kill(process.pid, "SIGSTOP");
  };
  const onContinue = () => {
    comeBack?.();
    comeBack = undefined;
  };
  process.on("exit", onExit);
  stream.on("resize", onResize);
  if (process.platform !== "win32") process.on("SIGTSTP", onStop).on("SIGCONT", onContinue);
  return () => {
    process.off("exit", onExit).off("SIGTSTP", onStop).off("SIGCONT", onContinue);
    stream.off("resize", onResize);
  };
}
