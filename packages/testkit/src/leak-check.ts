import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** What a process holds: one count for each kind of thing that would outlive the work it was made for. */
export type Inventory = Readonly<Record<string, number>>;

const POLL_MS = 20;
const DEFAULT_BUDGET_MS = 60_000;

/** Timers and immediates come and go with the test runner itself. */
const PASSING = /^(Timeout|Immediate|TickObject|Microtask|FSReq|FSReqPromise|FSReqCallback|GetAddrInfoReq|CloseReq|FileHandleCloseReq)/;

/**
 * Counts sockets, pipes, listeners and child processes of this process: everything that keeps its event loop alive
 * (`process.getActiveResourcesInfo`), its listening TCP and Unix sockets and its children as the kernel knows them (Linux).
 */
export async function takeInventory(): Promise<Inventory> {
  const counts: Record<string, number> = {};
  const add = (kind: string, count = 1) => {
    counts[kind] = (counts[kind] ?? 0) + count;
  };
  for (const resource of process.getActiveResourcesInfo()) if (!PASSING.test(resource)) add(resource);
  const children = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").catch(() => "");
  const count = children.split(" ").filter((id) => id !== "").length;
  if (count > 0) add("child process", count);
  return counts;
}

/** What `after` holds more than `before`, one line a kind; empty when nothing was left behind. */
export function describeLeaks(before: Inventory, after: Inventory): readonly string[] {
  return Object.entries(after).flatMap(([kind, count]) => {
    const more = count - (before[kind] ?? 0);
    return more > 0 ? [`${more} × ${kind}`] : [];
  });
}

/**
 * Waits until this process holds no more than it held at `before`, and what else `extra` counts is zero; handles close
 * asynchronously. Throws with the list of what is still there when `budgetMs` (60 s) is over.
 */
export async function expectNothingLeft(
  before: Inventory,
  options: { readonly extra?: () => Promise<number> | number; readonly budgetMs?: number } = {},
): Promise<void> {
  const { extra = () => 0, budgetMs = DEFAULT_BUDGET_MS } = options;
  const giveUpAt = performance.now() + budgetMs;
  for (;;) {
    const leaks = [...describeLeaks(before, await takeInventory())];
    const remaining = await extra();
    if (remaining > 0) leaks.push(`${remaining} × at the far end`);
    if (leaks.length === 0) return;
    if (performance.now() >= giveUpAt) throw new Error(`left behind: ${leaks.join(", ")}`);
    await delay(POLL_MS);
  }
}
