import { basename } from "node:path";

/** Programs that use the whole terminal, or draw the same work themselves. */
const PROGRAMS = new Set([
  "dagger",
  "emacs",
  "htop",
  "joe",
  "k9s",
  "lazygit",
  "less",
  "man",
  "mc",
  "micro",
  "more",
  "nano",
  "nvim",
  "screen",
  "tmux",
  "top",
  "vi",
  "view",
  "vim",
  "watch",
]);

/** Whether a tree at the lower end of the terminal would be in the command's way. */
export function drawsItself([program = ""]: readonly string[]): boolean {
  return PROGRAMS.has(basename(program.replaceAll("\\", "/")).replace(/\.exe$/i, ""));
}
