import { randomUUID } from "node:crypto";
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";

import { OWNER, OWNER_LABEL, PROCESS_LABEL, SESSION_LABEL } from "./labels.ts";

/** One executor of one process, as the labels of its containers tell others. */
export interface Session {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Whether the process behind a label still runs; what can't be known counts as running. */
export interface ProcessTable {
  /** Identity of this process: machine, process id and start time. */
  own(): Promise<string>;
  isDead(process: string): Promise<boolean>;
}

export async function createSession(options: {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly processes: ProcessTable;
}): Promise<Session> {
  const id = randomUUID();
  const process = await options.processes.own();
  return { id, labels: { ...options.labels, [OWNER_LABEL]: OWNER, [SESSION_LABEL]: id, [PROCESS_LABEL]: process } };
}

/**
 * The processes of this machine. A process is `machine/pid/start`; the machine is its name and, on Linux, its boot and its
 * process namespace, so that a label of another machine or container is never judged by the process ids of this one.
 */
export function localProcesses(): ProcessTable {
  const machine = once(async () => {
    const boot = await readText("/proc/sys/kernel/random/boot_id");
    const namespace = await readlink("/proc/self/ns/pid").catch(() => "");
    return [hostname(), boot?.trim() ?? "", namespace].join(":");
  });
  return {
    own: async () => [await machine(), process.pid, (await startTime(process.pid)) ?? ""].join("/"),
    async isDead(label) {
      const [owner, pid = "", start] = label.split("/");
      if (owner !== (await machine()) || !/^\d+$/.test(pid)) return false;
      if (!exists(Number(pid))) return true;
      const now = await startTime(Number(pid));
      return now !== undefined && start !== "" && now !== start;
    },
  };
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Field 22 of /proc/PID/stat, in clock ticks since boot; undefined elsewhere than on Linux. */
async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readText(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

function readText(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return () => (value ??= make());
}
