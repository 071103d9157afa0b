import { readdir, readFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What a process holds now. */
export interface Sample {
  /** MiB of resident memory. */
  readonly memory: number;
  readonly descriptors: number;
  /** Processes below it. */
  readonly children: number;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Looks at a process of this machine; undefined when it can't be looked at. */
export async function sampleProcess(pid: number): Promise<Sample | undefined> {
  if (pid === process.pid) collectGarbage();
  try {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const memory = Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? NaN) / 1024);
    return { memory, descriptors: (await readdir(`/proc/${pid}/fd`)).length, children: await childCount(pid) };
  } catch {
    return undefined;
  }
}

export function formatSample(sample: Sample | undefined): string {
  return sample === undefined ? "–" : `${sample.memory} MiB, ${sample.descriptors} fd, ${sample.children} proc`;
}

async function childCount(pid: number): Promise<number> {
  let count = 0;
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const children = (await readFile(`/proc/${pid}/task/${task}/children`, "utf8").catch(() => "")).split(" ").filter((id) => id.trim() !== "");
    for (const child of children) count += 1 + (await childCount(Number(child)).catch(() => 0));
  }
  return count;
}
