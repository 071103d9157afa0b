import type { Segment, SegmentSpec } from "../executor/executor.ts";
import { canonicalJson } from "./canonical.ts";

/** A running segment and the operation whose root file system it holds. */
export interface Place {
  readonly segment: Segment;
  readonly spec: string;
  /** What it shows is more than the root file system. */
  readonly mounted: boolean;
  /** Key of the operation. */
  position: string;
  /** A snapshot of this very state exists, or making it again by the same operations gives the same. */
  replaceable: boolean;
}

/** Segments that nobody uses now. They are closed when they have been idle for a while. */
export interface SegmentPool {
  /** Takes out the segment at `position`, of that spec when one is given. */
  take(position: string, spec?: string): Place | undefined;
  give(place: Place): void;
  drop(place: Place): Promise<void>;
  /** Closes all idle segments. */
  drain(): Promise<void>;
}

export function specKey(spec: SegmentSpec): string {
  const { expectedSteps: _, ...rest } = spec;
  return canonicalJson({ ...rest, mounts: rest.mounts.map((mount) => ({ ...mount })) });
}

export function createSegmentPool(options: { readonly idleMs: number; readonly setTimer?: typeof setTimeout }): SegmentPool {
  const idle = new Map<Place, NodeJS.Timeout>();
  const closing = new Set<Promise<void>>();
  const close = (place: Place) => {
    const closed = place.segment.close().catch(() => {});
    closing.add(closed);
    void closed.then(() => closing.delete(closed));
    return closed;
  };
  const remove = (place: Place) => {
    clearTimeout(idle.get(place));
    idle.delete(place);
  };
  return {
    take(position, spec) {
      for (const place of idle.keys()) {
        if (place.position !== position || (spec !== undefined && place.spec !== spec)) continue;
        remove(place);
        return place;
      }
      return undefined;
    },
    give(place) {
      const timer = (options.setTimer ?? setTimeout)(() => {
        remove(place);
        void close(place);
      }, options.idleMs);
      timer.unref?.();
      idle.set(place, timer);
    },
    drop: close,
    async drain() {
      for (const place of [...idle.keys()]) {
        remove(place);
        void close(place);
      }
      await Promise.all(closing);
    },
  };
}
