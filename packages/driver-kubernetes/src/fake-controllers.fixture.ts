import { runningPod, type FakeApiServer } from "./fake-api-server.fixture.ts";

/** Plays the cluster's controllers for StatefulSets: a pod as long as one is wanted, in which nothing says that somebody uses an engine. */
export function playControllers(fake: FakeApiServer): void {
  fake.exec = (exec) => exec.exit(0);
  fake.onChange = (path, object) => {
    const name = /\/statefulsets\/(.+)$/.exec(path)?.[1];
    if (name === undefined) return;
    const { spec, metadata } = (object ?? {}) as { readonly spec?: { readonly replicas?: number }; readonly metadata?: { readonly uid: string } };
    fake.pods.delete(`${name}-0`);
    if (metadata === undefined || spec?.replicas !== 1) return;
    const pod = runningPod(`${name}-0`, { labels: { "dev.anyrunner.engine": name } });
    fake.pods.set(`${name}-0`, { ...pod, metadata: { ...pod.metadata, ownerReferences: [{ uid: metadata.uid }] } });
  };
}
