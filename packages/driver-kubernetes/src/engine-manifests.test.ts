import { parseRunnerUrl } from "@anyrunner/core";
import { planEngineContainer } from "@anyrunner/engine-container";
import { expect, test } from "vitest";

import { engineManifests, type EngineFileContents } from "./engine-manifests.ts";
import { parseEngineRequest } from "./engine-target.ts";

const manifests = (url: string, files: EngineFileContents = { certificates: {} }) => {
  const { request } = parseEngineRequest(parseRunnerUrl(url));
  return engineManifests(planEngineContainer(request.image, { env: {} }), request, files);
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

test("variables, configuration and certificates lie in a Secret, and nowhere else", () => {
  const made = manifests("kube-image://e:1?env=TOKEN=hunter2", { engineJson: "{}", certificates: { "corp.crt": "PEM" } });
  expect(made.secret).toMatchObject({ stringData: { "env-TOKEN": "hunter2", "engine.json": "{}", "ca-corp.crt": "PEM" } });
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
