import { runningPod, type FakeApiServer } from "./fake-api-server.fixture.ts";
import type { Pod } from "./pod.ts";

/** Plays the cluster's controllers for StatefulSets: a pod as long as one is wanted, in which nothing says that somebody uses an engine. `change` makes it another one. */
export function playControllers(fake: FakeApiServer, change: (pod: Pod) => Pod = (pod) => pod): void {
  fake.exec = (exec) => exec.exit(0);
  fake.onChange = (path, object) => {
    const name = /\/statefulsets\/(.+)$/.exec(path)?.[1];
    if (name === undefined) return;
    const { spec, metadata } = (object ?? {}) as { readonly spec?: { readonly replicas?: number }; readonly metadata?: { readonly uid: string } };
    fake.pods.delete(`${name}-0`);
    if (metadata === undefined || spec?.replicas !== 1) return;
    const pod = runningPod(`${name}-0`, { labels: { "dev.anyrunner.engine": name } });
    fake.pods.set(`${name}-0`, change({ ...pod, metadata: { ...pod.metadata, ownerReferences: [{ uid: metadata.uid }] } }));
  };
}
