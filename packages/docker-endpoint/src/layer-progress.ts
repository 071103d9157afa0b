import type { Reporter } from "@anyrunner/core";

import type { ImageStep } from "./image-steps.ts";

export interface LayerProgress {
  push(step: ImageStep): void;
  end(): void;
}

export interface LayerProgressOptions {
  /** Of the event: `image-pull`. */
  readonly id: string;
  readonly message: string;
  /** What a layer says on its way: `Downloading`. */
  readonly moving: string;
  /** What it says when it is there. */
  readonly arrived: readonly string[];
  readonly report?: Reporter | undefined;
}

/** How often the sum is told at most, in bytes: a daemon sends a line for every half megabyte of each layer. */
const STEP_BYTES = 4 * 1024 * 1024;

/** Sums what the layers of a pull or push tell one by one, and reports it as one progress. */
export function createLayerProgress({ id: event, message, moving, arrived, report }: LayerProgressOptions): LayerProgress {
  const layers = new Map<string, { readonly current: number; readonly total: number }>();
  let told = -STEP_BYTES;
  report?.({ type: "progress", id: event, message });

  return {
    push({ id, status = "", progressDetail }) {
      if (report === undefined || id === undefined || (status !== moving && !arrived.includes(status))) return;
      const known = layers.get(id) ?? { current: 0, total: 0 };
      const { current, total } = progressDetail ?? {};
      if (status === moving && current !== undefined) layers.set(id, { current, total: total ?? known.total });
      else layers.set(id, { current: known.total, total: known.total });
      const sum = { current: 0, total: 0 };
      for (const layer of layers.values()) {
        sum.current += layer.current;
        sum.total += layer.total;
      }
      if (sum.total === 0 || Math.abs(sum.current - told) < STEP_BYTES) return;
      told = sum.current;
      report({ type: "progress", id: event, message, ...sum, unit: "bytes" });
    },
    end: () => report?.({ type: "progress", id: event, message, done: true }),
  };
}
