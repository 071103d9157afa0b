import { ENGINE_LABELS, ENGINE_ROLE, STATE_FOLDER, type EngineContainerPlan, type Labels } from "@anyrunner/engine-container";

import type { EngineRequest } from "./engine-target.ts";

/** Marks the pods of one engine. */
const ENGINE_NAME_LABEL = "dev.anyrunner.engine";
/** The container of an engine's pod. */
export const ENGINE_CONTAINER = "engine";

/** Contents of the user's files that the engine gets. */
export interface EngineFileContents {
  readonly engineJson?: string | undefined;
  /** CA certificates by file name. */
  readonly certificates: Readonly<Record<string, string>>;
}

export interface EngineManifests {
  readonly name: string;
  readonly secret: object;
  readonly statefulSet: object;
}

/** The objects of an engine: a Secret with variables, configuration and certificates, and a StatefulSet of one pod. */
export function engineManifests(plan: EngineContainerPlan, request: EngineRequest, files: EngineFileContents): EngineManifests {
  const name = request.name ?? objectName(plan.name);
  const labels = { [ENGINE_LABELS.role]: ENGINE_ROLE, [ENGINE_NAME_LABEL]: name };
  const claim = request.claim ?? (request.storage === "none" ? undefined : ownClaim(name));
  const metadata = { name, labels, annotations: annotationsOf(plan.labels, claim) };
  const certificates = Object.keys(files.certificates);
  const mounts = [
    { name: "state", mountPath: STATE_FOLDER },
    ...(files.engineJson === undefined ? [] : [{ name: "files", mountPath: "/etc/dagger/engine.json", subPath: "engine.json", readOnly: true }]),
    ...certificates.map((file) => ({ name: "files", mountPath: `/usr/local/share/ca-certificates/${file}`, subPath: `ca-${file}`, readOnly: true })),
  ];
  const claimSpec = {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: request.storage } },
    ...(request.storageClass !== undefined && { storageClassName: request.storageClass }),
    ...(request.snapshot !== undefined && { dataSource: { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name: request.snapshot } }),
  };
  const hasOwnClaim = request.claim === undefined && claim !== undefined;
  const state = request.claim === undefined ? { name: "state", emptyDir: {} } : { name: "state", persistentVolumeClaim: { claimName: request.claim } };
  return {
    name,
    secret: {
      metadata,
      stringData: {
        ...Object.fromEntries(Object.entries(plan.env).map(([key, value]) => [`env-${key}`, value])),
        ...(files.engineJson !== undefined && { "engine.json": files.engineJson }),
        ...Object.fromEntries(certificates.map((file) => [`ca-${file}`, files.certificates[file]])),
      },
    },
    statefulSet: {
      metadata,
      spec: {
        replicas: 1,
        serviceName: name,
        selector: { matchLabels: { [ENGINE_NAME_LABEL]: name } },
        template: {
          metadata: { labels, annotations: { "kubectl.kubernetes.io/default-container": ENGINE_CONTAINER } },
          spec: {
            terminationGracePeriodSeconds: plan.stopTimeoutSeconds,
            automountServiceAccountToken: false,
            nodeSelector: request.nodeSelector,
            tolerations: request.tolerations,
            containers: [
              {
                name: ENGINE_CONTAINER,
                image: plan.image,
                imagePullPolicy: PULL_POLICIES[request.image.pull],
                args: plan.args,
                env: Object.keys(plan.env).map((key) => ({ name: key, valueFrom: { secretKeyRef: { name, key: `env-${key}` } } })),
                securityContext: { privileged: true },
                resources: resourcesOf(plan),
                volumeMounts: mounts,
              },
            ],
            volumes: [{ name: "files", secret: { secretName: name } }, ...(hasOwnClaim ? [] : [state])],
          },
        },
        ...(hasOwnClaim && { volumeClaimTemplates: [{ metadata: { name: "state", labels }, spec: claimSpec }] }),
      },
    },
  };
}

/** The claim that Kubernetes makes for the only pod of an engine's StatefulSet. */
export function ownClaim(name: string): string {
  return `state-${name}-0`;
}

/** A pod's name is a host name, which has no dots. */
function objectName(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 50);
}

const PULL_POLICIES = { missing: "IfNotPresent", always: "Always", never: "Never" } as const;

/** Labels are short here: all but the role are annotations. The volume is the claim. */
function annotationsOf(labels: Labels, claim: string | undefined): Labels {
  const own = Object.entries(labels).filter(([name]) => name !== ENGINE_LABELS.role && name !== ENGINE_LABELS.volume);
  return { ...Object.fromEntries(own), ...(claim !== undefined && { [ENGINE_LABELS.volume]: claim }) };
}

function resourcesOf({ cpus, memoryBytes, gpus }: EngineContainerPlan): object {
  const gpuCount = gpus === undefined ? undefined : gpus.kind === "count" ? gpus.count : gpus.kind === "devices" ? gpus.devices.length : 1;
  const limits = {
    ...(cpus !== undefined && { cpu: String(cpus) }),
    ...(memoryBytes !== undefined && { memory: String(memoryBytes) }),
    ...(gpuCount !== undefined && { "nvidia.com/gpu": String(gpuCount) }),
  };
  return Object.keys(limits).length === 0 ? {} : { limits };
}
