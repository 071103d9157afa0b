import { parseRunnerUrl, urlSecrets } from "@anyrunner/core/driver";
import { planEngineContainer, withSecrets } from "@anyrunner/engine-container";
import { expect, test } from "vitest";

import { engineManifests, type EngineFileContents } from "./engine-manifests.ts";
import { ENGINE_OPTIONS, parseEngineRequest } from "./engine-target.ts";
import type { OwnerReference } from "./owner-pod.ts";

const manifests = (url: string, files: EngineFileContents = { certificates: {} }, ownedBy?: OwnerReference) => {
  const parsed = parseRunnerUrl(url);
  const { request } = parseEngineRequest(parsed);
  return engineManifests(planEngineContainer(withSecrets(request.image, urlSecrets(parsed, ENGINE_OPTIONS)), { env: {} }), request, files, ownedBy);
};

test("an engine is a StatefulSet of one privileged pod with a claim of its own and time to shut down", () => {
  const { name, statefulSet } = manifests("kube-image://registry.dagger.io/engine:v0.21.8");
  expect(name).toBe("anyrunner-engine-v0-21-8");
  expect(statefulSet).toMatchObject({
    metadata: {
      name,
      labels: { "dev.anyrunner.role": "engine", "dev.anyrunner.engine": name },
      annotations: { "dev.anyrunner.image": "registry.dagger.io/engine:v0.21.8" },
    },
    spec: {
      replicas: 1,
      selector: { matchLabels: { "dev.anyrunner.engine": name } },
      template: {
        spec: {
          terminationGracePeriodSeconds: 600,
          automountServiceAccountToken: false,
          containers: [
            {
              name: "engine",
              image: "registry.dagger.io/engine:v0.21.8",
              imagePullPolicy: "IfNotPresent",
              securityContext: { privileged: true },
              volumeMounts: [{ name: "state", mountPath: "/var/lib/dagger" }],
            },
          ],
        },
      },
      volumeClaimTemplates: [{ metadata: { name: "state" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "100Gi" } } } }],
    },
  });
});

test("variables and certificates lie in a Secret, the configuration in a ConfigMap, and nowhere else", () => {
  const made = manifests("kube-image://e:1?env=TOKEN=hunter2", { engineJson: "{}", certificates: { "corp.crt": "PEM" } });
  expect(made.secret).toMatchObject({ stringData: { "env-TOKEN": "hunter2", "ca-corp.crt": "PEM" } });
  expect(made.configMap).toMatchObject({ data: { "engine.json": "{}" } });
  expect(JSON.stringify(made.statefulSet)).not.toContain("hunter2");
  expect(made.statefulSet).toMatchObject({
    spec: {
      template: {
        spec: {
          containers: [
            {
              env: expect.arrayContaining([{ name: "TOKEN", valueFrom: { secretKeyRef: { name: made.name, key: "env-TOKEN" } } }]),
              volumeMounts: [
                { mountPath: "/var/lib/dagger" },
                { mountPath: "/etc/dagger/engine.json", subPath: "engine.json" },
                { mountPath: "/usr/local/share/ca-certificates/corp.crt", subPath: "ca-corp.crt" },
              ],
            },
          ],
        },
      },
    },
  });
});

test("resources, GPUs and placement", () => {
  expect(manifests("kube-image://e:1?cpus=2&memory=4g&gpus=2&node-selector=gpu=yes&toleration=gpu&pull=always").statefulSet).toMatchObject({
    spec: {
      template: {
        spec: {
          nodeSelector: { gpu: "yes" },
          tolerations: [{ key: "gpu", operator: "Exists" }],
          containers: [{ imagePullPolicy: "Always", resources: { limits: { cpu: "2", memory: String(4 * 1024 ** 3), "nvidia.com/gpu": "2" } } }],
        },
      },
    },
  });
});

const owner = { apiVersion: "v1", kind: "Pod", name: "job", uid: "0123456789abcdef" };

test("what a job owns has its name, its owner and a lease, and keeps no claim", () => {
  const { name, statefulSet, lease } = manifests("kube-image://registry.dagger.io/engine:v0.21.8?owner=job", undefined, owner);
  expect(name).toBe("anyrunner-engine-v0-21-8-01234567");
  expect(statefulSet).toMatchObject({
    metadata: { ownerReferences: [owner], annotations: { "dev.anyrunner.lease": "900" } },
    spec: { template: { spec: { volumes: [{ name: "files" }, { name: "state", emptyDir: {} }] } } },
  });
  expect(statefulSet).not.toHaveProperty("spec.volumeClaimTemplates");
  expect(lease).toEqual({ seconds: 900, labels: { "dev.anyrunner.role": "engine-lease", "dev.anyrunner.engine": name } });
  const withStorage = manifests("kube-image://e:1?owner=job&storage=20Gi&lease=1m", undefined, owner);
  expect(withStorage.lease).toMatchObject({ seconds: 60 });
  expect(withStorage.statefulSet).toMatchObject({
    spec: {
      template: {
        spec: { volumes: [{}, { name: "state", ephemeral: { volumeClaimTemplate: { spec: { resources: { requests: { storage: "20Gi" } } } } } }] },
      },
    },
  });
});

test.each([
  ["snapshot=warm", { storage: "100Gi" }, { dataSource: { name: "warm" } }],
  ["storage-class=fast", { storage: "100Gi" }, { storageClassName: "fast" }],
])("a job's engine with %s has a claim that goes with its pod", (query, requests, rest) => {
  const { statefulSet } = manifests(`kube-image://e:1?owner=job&${query}`, undefined, owner);
  expect(statefulSet).toMatchObject({
    spec: { template: { spec: { volumes: [{}, { ephemeral: { volumeClaimTemplate: { spec: { resources: { requests }, ...rest } } } }] } } },
  });
});

test("a job's engine can use a claim that stays", () => {
  expect(manifests("kube-image://e:1?owner=job&claim=cache", undefined, owner).statefulSet).toMatchObject({
    spec: { template: { spec: { volumes: [{}, { persistentVolumeClaim: { claimName: "cache" } }] } } },
  });
});

test("an engine has no lease and no owner unless that is asked for", () => {
  const { statefulSet, lease } = manifests("kube-image://e:1");
  expect(lease).toBeUndefined();
  expect(statefulSet).not.toHaveProperty("metadata.ownerReferences");
});

test.each([
  ["claim=cache", { name: "state", persistentVolumeClaim: { claimName: "cache" } }],
  ["storage=none", { name: "state", emptyDir: {} }],
])("with %s there is no claim of its own", (query, volume) => {
  const { statefulSet } = manifests(`kube-image://e:1?${query}`);
  expect(statefulSet).toMatchObject({ spec: { template: { spec: { volumes: [{ name: "files" }, volume] } } } });
  expect(statefulSet).not.toHaveProperty("spec.volumeClaimTemplates");
});

test("a claim of its own begins with a snapshot", () => {
  expect(manifests("kube-image://e:1?snapshot=warm&storage=20Gi&storage-class=fast").statefulSet).toMatchObject({
    spec: {
      volumeClaimTemplates: [
        { spec: { storageClassName: "fast", resources: { requests: { storage: "20Gi" } }, dataSource: { kind: "VolumeSnapshot", name: "warm" } } },
      ],
    },
  });
});
