import { readFileSync } from "node:fs";
import path from "node:path";

import { REPOSITORY } from "../workspace-packages.ts";
import { deadPods } from "./dead-pods.ts";
import { makeJobPod } from "./job-pod.ts";
import { kubectl } from "./kubectl.ts";
import { lostEngine, ownedEngine, rollout, rotatedToken, withoutTools } from "./scenarios.ts";
import { readSettings, type RecordSettings } from "./settings.ts";

/**
 * Runs on a real cluster what docs/engines/kubernetes.md records of jobs, and prints it as tables. Everything is made in a namespace of its own, by the files of
 * examples/kubernetes; the namespace goes at the end.
 *
 * Usage: node tooling/kubernetes-record/record.ts [SCENARIO …]; settings.ts says what its environment must have.
 */
const SCENARIOS = { withoutTools, rotatedToken, lostEngine, ownedEngine, rollout, deadPods } as const;

const settings = readSettings();
const wanted = process.argv.slice(2);
try {
  await setUp(settings);
  const job = await makeJobPod(settings, "job-1");
  await job.newToken();
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    console.log(`\n${name}\n\n| what | what came |\n| --- | --- |`);
    for (const [did, came] of await scenario(settings, job)) console.log(`| ${did} | ${came} |`);
  }
} finally {
  if (process.env["RECORD_KEEP"] === undefined) await cleanUp(settings);
}

async function setUp({ namespace, engineImage, claimPath }: RecordSettings): Promise<void> {
  await kubectl(settings, ["apply", "--filename", "-"], JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }));
  for (const file of ["job-role.yaml", "engines-role.yaml"]) await kubectl(settings, ["apply", "--filename", "-"], example(file));
  await kubectl(
    settings,
    ["apply", "--filename", "-"],
    withoutClaim(example("engine.yaml")).replace(/image: .*/, `image: ${engineImage}\n          imagePullPolicy: IfNotPresent`),
  );
  if (claimPath !== undefined) await kubectl(settings, ["apply", "--filename", "-"], JSON.stringify(volume(settings, claimPath)));
  await kubectl(settings, ["apply", "--filename", "-"], JSON.stringify(claim(settings)));
  await kubectl(settings, ["rollout", "status", "statefulset/dagger-engine", "--timeout=120s"]);
}

async function cleanUp({ namespace, claimPath }: RecordSettings): Promise<void> {
  await kubectl(settings, ["delete", "statefulsets,pods", "--all", "--grace-period=0", "--force"]);
  await kubectl(settings, ["delete", "namespace", namespace, "--timeout=120s"]);
  if (claimPath !== undefined) await kubectl(settings, ["delete", "persistentvolume", namespace, "--ignore-not-found"]);
}

function example(file: string): string {
  return readFileSync(path.join(REPOSITORY, "examples", "kubernetes", file), "utf8");
}

/** Not every test cluster has somebody who makes volumes. */
function withoutClaim(text: string): string {
  return text.replace(/\n {2}volumeClaimTemplates:[\s\S]*$/, "\n      volumes:\n        - { name: state, emptyDir: {} }\n");
}

function volume({ namespace }: RecordSettings, folder: string): object {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: namespace },
    spec: {
      capacity: { storage: "10Gi" },
      accessModes: ["ReadWriteOnce"],
      hostPath: { path: folder, type: "DirectoryOrCreate" },
      claimRef: { namespace, name: "cache" },
      persistentVolumeReclaimPolicy: "Retain",
    },
  };
}

function claim({ claimPath }: RecordSettings): object {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "cache" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "10Gi" } },
      ...(claimPath !== undefined && { storageClassName: "" }),
    },
  };
}
