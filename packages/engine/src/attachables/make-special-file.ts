import { runProgram } from "@anyrunner/exec";
import { MODE, type FileStat } from "@anyrunner/filesync";

/** Makes a named pipe or a device at a path that is free, by the system's programs: Node has no call for it. Devices need root. */
export async function makeSpecialFile(path: string, stat: FileStat): Promise<void> {
  const [command, ...args] = commandFor(path, stat);
  const { exitCode, stderr } = await runProgram({ command, args });
  if (exitCode !== 0) throw new Error(`can't create ${stat.path}: ${stderr.trim().split(": ").at(-1) || `${command} ended with ${exitCode}`}`);
}

function commandFor(path: string, { path: name, mode, devmajor, devminor }: FileStat): readonly [string, ...string[]] {
  if (!path.isWellFormed()) throw new Error(`can't create ${name.toWellFormed()}: its name is not UTF-8`);
  if ((mode & MODE.NAMED_PIPE) !== 0) return ["mkfifo", path];
  if ((mode & MODE.DEVICE) === 0) throw new Error(`can't create ${name}: files of this kind are not supported`);
  return ["mknod", path, (mode & MODE.CHARACTER_DEVICE) === 0 ? "b" : "c", String(devmajor), String(devminor)];
}
