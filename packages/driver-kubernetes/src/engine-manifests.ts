import { ENGINE_LABELS, ENGINE_ROLE, LABEL_PREFIX, STATE_FOLDER, type EngineContainerPlan, type Labels } from "@anyrunner/engine-container";

import type { EngineRequest } from "./engine-target.ts";
import { LEASE_ANNOTATION, LEASE_ROLE } from "./lease.ts";
import type { OwnerReference } from "./owner-pod.ts";

/** Marks the pods of one engine. */
const ENGINE_NAME_LABEL = `${LABEL_PREFIX}engine`;
/** The container of an engine's pod. */
export const ENGINE_CONTAINER = "engine";
/** With `-0` and a hash behind it, it still is a label's value. */
const MAX_NAME = 50;

/** Contents of the user's files that the engine gets. */
export interface EngineFileContents {
  readonly engineJson?: string | undefined;
  /** CA certificates by file name. */
  readonly certificates: Readonly<Record<string, string>>;
}

export interface EngineManifests {
  readonly name: string;
  /** Variables and certificates. */
  readonly secret: object;
  /** The configuration, when there is one. */
  readonly configMap?: object | undefined;
  readonly statefulSet: object;
  /** Labels of its lease, and its duration, when it has one. */
  readonly lease?: { readonly labels: Labels; readonly seconds: number } | undefined;
}

/**
 * The objects of an engine: a Secret with variables and certificates, a ConfigMap with its engine.json, and a StatefulSet of one pod. What a job
 * owns has a name of its own, and keeps no claim.
 */
export function engineManifests(plan: EngineContainerPlan, request: EngineRequest, files: EngineFileContents, owner?: OwnerReference): EngineManifests {
  const name = request.name ?? (owner === undefined ? objectName(plan.name) : `${objectName(plan.name, MAX_NAME - 9)}-${owner.uid.slice(0, 8)}`);
  const labels = { [ENGINE_LABELS.role]: ENGINE_ROLE, [ENGINE_NAME_LABEL]: name };
  const ownStorage = request.claim === undefined && request.storage !== "none";
  const hasOwnClaim = ownStorage && owner === undefined;
  const claim = request.claim ?? (hasOwnClaim ? ownClaim(name) : undefined);
  const annotations = annotationsOf(plan.labels, claim);
  const metadata = { name, labels, annotations };
  const certificates = Object.keys(files.certificates);
  const mounts = [
    { name: "state", mountPath: STATE_FOLDER },
    ...(files.engineJson === undefined ? [] : [{ name: "config", mountPath: "/etc/dagger/engine.json", subPath: "engine.json", readOnly: true }]),
    ...certificates.map((file) => ({ name: "files", mountPath: `/usr/local/share/ca-certificates/${file}`, subPath: `ca-${file}`, readOnly: true })),
  ];
  const claimSpec = {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: request.storage } },
    ...(request.storageClass !== undefined && { storageClassName: request.storageClass }),
    ...(request.snapshot !== undefined && { dataSource: { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name: request.snapshot } }),
  };
  const volumes = [
    { name: "files", secret: { secretName: name } },
    ...(files.engineJson === undefined ? [] : [{ name: "config", configMap: { name } }]),
    ...(hasOwnClaim ? [] : [{ name: "state", ...stateOf(request.claim, ownStorage ? { metadata: { labels }, spec: claimSpec } : undefined) }]),
  ];
  return {
    name,
    secret: {
      metadata,
      stringData: {
        ...Object.fromEntries(Object.entries(plan.env).map(([key, value]) => [`env-${key}`, value])),
        ...Object.fromEntries(certificates.map((file) => [`ca-${file}`, files.certificates[file]])),
      },
    },
    ...(files.engineJson !== undefined && { configMap: { metadata, data: { "engine.json": files.engineJson } } }),
    ...(request.leaseSeconds !== undefined && { lease: { labels: { ...labels, [ENGINE_LABELS.role]: LEASE_ROLE }, seconds: request.leaseSeconds } }),
    statefulSet: {
      metadata: {
        ...metadata,
        annotations: { ...annotations, ...(request.leaseSeconds !== undefined && { [LEASE_ANNOTATION]: String(request.leaseSeconds) }) },
        ...(owner !== undefined && { ownerReferences: [owner] }),
      },
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
            volumes,
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
function objectName(name: string, length: number = MAX_NAME): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, length)
    .replaceAll(/^-+|-+$/g, "");
}

/** A claim that exists; one that comes and goes with the pod; or a folder of the node that does. */
function stateOf(claimName: string | undefined, volumeClaimTemplate: object | undefined): object {
  if (claimName !== undefined) return { persistentVolumeClaim: { claimName } };
  return volumeClaimTemplate === undefined ? { emptyDir: {} } : { ephemeral: { volumeClaimTemplate } };
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
