import type { Reporter } from "@anyrunner/core";

/** What is known about an engine's cache after a stop or a start; for sure only its next start tells. */
export type CacheFate = "kept" | "unknown" | "discarded";

/** A reporter that notes what a driver says about the cache while it stops or starts an engine, and passes everything on. */
export function watchCacheFate(report: Reporter): { readonly report: Reporter; fate(): CacheFate } {
  let fate: CacheFate = "unknown";
  return {
    report(event) {
      const id = event.type === "retry" ? "" : event.id;
      if (id.startsWith("cache-kept-")) fate = "kept";
      if (id.startsWith("cache-discarded-")) fate = "discarded";
      report(event);
    },
    fate: () => fate,
  };
}
