import type { Reporter } from "@anyrunner/core/driver";

/** One line of the daemon's answer to a pull. */
export interface PullStep {
  readonly id?: string;
  readonly status?: string;
  readonly error?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

export interface PullProgress {
  push(step: PullStep): void;
  end(): void;
}

/** How often the sum is told at most, in bytes: a daemon sends a line for every half megabyte of each layer. */
const STEP_BYTES = 4 * 1024 * 1024;

/** Sums what the layers of a pull tell one by one, and reports it as one progress. */
export function createPullProgress(reference: string, report: Reporter | undefined): PullProgress {
  const layers = new Map<string, { readonly current: number; readonly total: number }>();
  const message = `pulling ${reference}`;
  let told = -STEP_BYTES;
  report?.({ type: "progress", id: "image-pull", message });

  return {
    push({ id, status, progressDetail }) {
      if (report === undefined || id === undefined || !/^(Downloading|Download complete|Already exists|Pull complete)$/.test(status ?? "")) return;
      const known = layers.get(id) ?? { current: 0, total: 0 };
      const { current, total } = progressDetail ?? {};
      if (status === "Downloading" && current !== undefined) layers.set(id, { current, total: total ?? known.total });
      else layers.set(id, { current: known.total, total: known.total });
      const sum = { current: 0, total: 0 };
      for (const layer of layers.values()) {
        sum.current += layer.current;
        sum.total += layer.total;
      }
      if (sum.total === 0 || Math.abs(sum.current - told) < STEP_BYTES) return;
      told = sum.current;
      report({ type: "progress", id: "image-pull", message, ...sum, unit: "bytes" });
    },
    end: () => report?.({ type: "progress", id: "image-pull", message, done: true }),
  };
}
