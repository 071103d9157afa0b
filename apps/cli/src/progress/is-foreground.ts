import { readFileSync } from "node:fs";

/**
 * Whether a shell has left the terminal to this process, and not put it into the background. Known on Linux alone; elsewhere, and
 * where no shell rules the terminal, yes.
 */
export function isForeground(): boolean {
  if (process.platform !== "linux") return true;
  try {
    return isForegroundBy(readFileSync("/proc/self/stat", "utf8"));
  } catch {
    return true;
  }
}

/** Of `/proc/PID/stat`: behind the name, which may hold anything, stand state, parent, group, session, terminal and the terminal's group. */
export function isForegroundBy(stat: string): boolean {
  const [, , group, , , terminalGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(terminalGroup) <= 0 || terminalGroup === group;
}
