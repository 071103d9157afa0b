import type { CallOptions } from "@anyrunner/core/driver";

import type { ClusterSource } from "./cluster-config.ts";
import { openCluster } from "./cluster.ts";
import type { KubernetesHandle } from "./handle.ts";
import { renewLease } from "./lease.ts";

export interface LeaseKeeper {
  /** Renews the engine's lease while anybody holds it; the answer lets go. Does nothing for an engine without a lease. */
  hold(handle: KubernetesHandle, source: ClusterSource, options: Pick<CallOptions, "report">): () => void;
}

/** How many renewals fit into a lease: two may fail. */
const RENEWALS = 3;

/** Keeps leases of engines whose streams are open in this process, one timer for each engine. Keeps no process alive. */
export function createLeaseKeeper(): LeaseKeeper {
  const held = new Map<string, { users: number; readonly timer: NodeJS.Timeout }>();
  return {
    hold(handle, source, { report }) {
      const { cluster: location, namespace, choice, leaseSeconds: seconds } = handle.endpoint;
      if (seconds === undefined || choice.kind !== "workload") return () => undefined;
      const key = JSON.stringify([location, namespace, choice.name]);
      const renew = async () => {
        const problem = await openCluster(location, source, undefined)
          .then((cluster) => renewLease(cluster, { name: choice.name, namespace, seconds }))
          .then(
            (kept) => (kept ? undefined : "it is gone"),
            (error: unknown) => (error instanceof Error ? error.message : String(error)),
          );
        if (problem === undefined || !held.has(key)) return;
        report?.({
          type: "warning",
          id: `lease-${choice.name}`,
          message: `the lease of the engine "${choice.name}" can't be renewed: ${problem}`,
          hint: "an engine without a lease is removed when no session uses it",
        });
      };
      const entry = held.get(key) ?? { users: 0, timer: setInterval(() => void renew(), (seconds * 1000) / RENEWALS).unref() };
      entry.users++;
      held.set(key, entry);
      return () => {
        if (--entry.users > 0) return;
        clearInterval(entry.timer);
        held.delete(key);
      };
    },
  };
}
