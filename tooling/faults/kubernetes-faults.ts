import { randomUUID } from "node:crypto";

import { createRegistry, openRunner, type RunnerDriver } from "@anyrunner/core";
import { createKubernetesDriver } from "@anyrunner/driver-kubernetes";
import { createEngineDouble } from "@anyrunner/testkit";

import { kubectl } from "../kubernetes-record/kubectl.ts";
import type { Fault, Scene } from "./fault.ts";
import { forever } from "./socket-faults.ts";

type CleanUp = Parameters<Fault["prepare"]>[0];

/** A cluster whose node is this machine, with an image that has a shell and `nc`; kubectl sets the scene. */
const cluster = { kubeconfig: process.env["ANYRUNNER_TEST_KUBECONFIG"] ?? "", namespace: "default" };
const IMAGE = process.env["ANYRUNNER_TEST_KUBE_IMAGE"] ?? "busybox:1";
const skipped = cluster.kubeconfig === "" ? "ANYRUNNER_TEST_KUBECONFIG names no cluster" : undefined;
/** Waits, or eats all memory. */
const MAIN = "while [ ! -e /hungry ]; do sleep 0.1; done; exec tail /dev/zero";

export const KUBERNETES_FAULTS: readonly Fault[] = [
  kubernetesFault("image not found: a node that may not pull", async (cleanUp) => {
    const name = await makePod(cleanUp, { image: "anyrunner-test-no-such:1", imagePullPolicy: "Never" });
    await kubectl(cluster, ["wait", "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ErrImageNeverPull", `pod/${name}`, "--timeout=60s"]);
    return { url: `kube-pod://${name}` };
  }),
  kubernetesFault("the pod is deleted during a query", async (cleanUp) => {
    const name = await runEnginePod(cleanUp);
    return {
      url: `kube-pod://${name}`,
      strike: () => kubectl(cluster, ["delete", "pod", name, "--grace-period=0", "--force", "--wait=false"]),
      leftovers: async () => (await kubectl(cluster, ["get", "pod", name, "--ignore-not-found", "--output", "name"])).length,
    };
  }),
  kubernetesFault("OOM during a query", async (cleanUp) => {
    const name = await runEnginePod(cleanUp, { resources: { limits: { memory: "32Mi" } } });
    return { url: `kube-pod://${name}`, strike: () => kubectl(cluster, ["exec", name, "--", "touch", "/hungry"]) };
  }),
];

function kubernetesFault(name: string, prepare: (cleanUp: CleanUp) => Promise<Omit<Scene, "driver">>): Fault {
  const driver = createKubernetesDriver({ env: { KUBECONFIG: cluster.kubeconfig } });
  return { fault: name, scheme: "kube-pod", skipped, prepare: async (cleanUp) => ({ driver, ...(await prepare(cleanUp)) }) };
}

/** A pod whose relay leads to an engine double in this process; what the driver loads for a dial is loaded. */
async function runEnginePod(cleanUp: CleanUp, container: object = {}): Promise<string> {
  const engine = createEngineDouble(forever);
  cleanUp(() => engine.kill());
  const port = (await engine.listen()).split(":").at(-1);
  const relay = `printf '#!/bin/sh\\nexec nc 127.0.0.1 ${port}\\n' >/bin/buildctl; chmod 755 /bin/buildctl`;
  const name = await makePod(cleanUp, { image: IMAGE, imagePullPolicy: "IfNotPresent", command: ["sh", "-c", `${relay}; ${MAIN}`], ...container });
  await kubectl(cluster, ["wait", "--for=condition=Ready", `pod/${name}`, "--timeout=60s"]);
  await dialOnce(`kube-pod://${name}`, createKubernetesDriver({ env: { KUBECONFIG: cluster.kubeconfig } }));
  return name;
}

async function makePod(cleanUp: CleanUp, container: object): Promise<string> {
  const name = `anyrunner-test-${randomUUID().slice(0, 8)}`;
  const spec = { hostNetwork: true, restartPolicy: "Never", terminationGracePeriodSeconds: 1, automountServiceAccountToken: false };
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name }, spec: { ...spec, containers: [{ name: "engine", ...container }] } };
  cleanUp(() => kubectl(cluster, ["delete", "pod", name, "--grace-period=0", "--force", "--ignore-not-found"]));
  await kubectl(cluster, ["create", "--filename", "-"], JSON.stringify(pod));
  return name;
}

async function dialOnce(url: string, driver: RunnerDriver): Promise<void> {
  const registry = createRegistry([{ name: driver.name, schemes: driver.schemes, origin: "test", load: async () => ({ driver }) }]);
  const { stream, closed } = await (await openRunner(url, { registry })).connect();
  stream.destroy();
  await closed;
}
