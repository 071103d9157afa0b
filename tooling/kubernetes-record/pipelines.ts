import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { run, tryToRun } from "../run.ts";
import { REPOSITORY } from "../workspace-packages.ts";
import { kubectl } from "./kubectl.ts";

/**
 * Runs examples/hello with the official SDK on a cluster: with the image of a Dagger engine and with the embedded runner's, each through kube-pod:// and kube-image://, and with the
 * engine of the version that a project's SDK has. Prints a table. Everything is made in a namespace of its own, which goes at the end.
 *
 * Usage: node tooling/kubernetes-record/pipelines.ts
 * KUBECONFIG is an administrator's; the nodes have RECORD_ENGINE_IMAGE (its tag is a version, `v0.21.8`) and RECORD_EMBEDDED_IMAGE (`anyrunner embedded build-image`), and Docker:
 * RECORD_DOCKER_FOLDER is a folder on them with its `docker.sock`.
 */
const need = (name: string) => process.env[name] ?? fail(`set ${name}`);
const cluster = { kubeconfig: path.resolve(need("KUBECONFIG")), namespace: process.env["RECORD_NAMESPACE"] ?? "anyrunner-pipelines" };
const engineImage = need("RECORD_ENGINE_IMAGE");
const embeddedImage = need("RECORD_EMBEDDED_IMAGE");
const dockerFolder = need("RECORD_DOCKER_FOLDER");

const [repository = "", version = ""] = engineImage.split(/:(?=[^/:]*$)/);
const ours = "config=none&ca=none&pull=never";
const onDocker = "claim=docker&env=DOCKER_HOST=unix:///var/lib/dagger/docker.sock";
const scratch = mkdtempSync(path.join(tmpdir(), "pipelines-"));
const hello = path.join(scratch, "hello");
try {
  makeProject();
  await apply({ kind: "Namespace", metadata: { name: cluster.namespace } });
  await apply(enginePod());
  await apply(embeddedPod());
  for (const each of dockerClaim()) await apply(each);
  await kubectl(cluster, ["wait", "--for=condition=Ready", "pod/engine", "pod/embedded", "--timeout=120s"]);
  console.log("| runner | what came | seconds |\n| --- | --- | --- |");
  for (const [shown, runner] of [
    ["`kube-pod://POD` of the engine's image", "kube-pod://engine?"],
    ["`kube-pod://POD` of the embedded runner's image", "kube-pod://embedded?"],
    ["`kube-image://ENGINE:VERSION?storage=none`, new", `kube-image://${engineImage}?${ours}&storage=none&name=made`],
    ["`kube-image://ENGINE?version=auto&storage=none`, new", `kube-image://${repository}?${ours}&storage=none&version=auto`],
    ["the same again", `kube-image://${repository}?${ours}&storage=none&version=auto`],
    ["`kube-image://EMBEDDED?claim=…&env=DOCKER_HOST=…`, new", `kube-image://${embeddedImage}?${ours}&${onDocker}&name=made-embedded`],
  ] as const)
    console.log(`| ${shown} | ${runHello(`${runner}&namespace=${cluster.namespace}`)} |`);
} finally {
  rmSync(scratch, { recursive: true });
  await kubectl(cluster, ["delete", "statefulsets", "--all"]);
  await kubectl(cluster, ["delete", "pods", "--all", "--grace-period=1", "--timeout=120s"]);
  await kubectl(cluster, ["delete", "namespace", cluster.namespace, "--timeout=300s"]);
  await kubectl(cluster, ["delete", "persistentvolume", cluster.namespace, "--ignore-not-found"]);
}

/** The example as a project of its own, whose SDK has the engine's version. */
function makeProject(): void {
  cpSync(path.join(REPOSITORY, "examples", "hello", "main.ts"), path.join(hello, "main.ts"));
  writeFileSync(
    path.join(hello, "package.json"),
    JSON.stringify({ type: "module", private: true, dependencies: { "@dagger.io/dagger": version.replace(/^v/, "") } }),
  );
  run("npm", ["install", "--no-audit", "--no-fund"], { cwd: hello });
  run(path.join(REPOSITORY, "scripts", "busybox-root"), [path.join(hello, "rootfs")]);
}

/** The engine that was reached, what the pipeline printed, and how long it took. */
function runHello(runner: string): string {
  const bin = path.join(REPOSITORY, "apps", "cli", "src", "bin.ts");
  const started = performance.now();
  const args = [bin, "run", "--progress", "plain", "--runner", runner, "--", process.execPath, "main.ts"];
  const { exitCode, stdout, stderr } = tryToRun(process.execPath, args, { cwd: hello });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (exitCode !== 0) throw new Error(`${runner} ended with ${exitCode}\n${stdout}${stderr}`);
  return `engine ${/engine (v\S+)/.exec(stderr)?.[1] ?? "?"}; \`${stdout.trim()}\` | ${seconds}`;
}

async function apply(object: object): Promise<void> {
  await kubectl(cluster, ["apply", "--filename", "-"], JSON.stringify({ apiVersion: "v1", ...object }));
}

function enginePod(): object {
  return pod("engine", {
    image: engineImage,
    securityContext: { privileged: true },
    readinessProbe: { exec: { command: ["sh", "-c", "test -S /run/dagger/engine.sock || test -S /run/buildkit/buildkitd.sock"] }, periodSeconds: 1 },
    volumeMounts: [{ name: "volume", mountPath: "/var/lib/dagger" }],
  });
}

function embeddedPod(): object {
  const volumeMounts = [{ name: "volume", mountPath: "/docker" }];
  const env = [{ name: "DOCKER_HOST", value: "unix:///docker/docker.sock" }];
  return pod("embedded", { image: embeddedImage, env, volumeMounts }, { hostPath: { path: dockerFolder } });
}

function pod(name: string, container: object, volume: object = { emptyDir: {} }): object {
  const containers = [{ name: "engine", imagePullPolicy: "Never", ...container }];
  return { kind: "Pod", metadata: { name }, spec: { automountServiceAccountToken: false, containers, volumes: [{ name: "volume", ...volume }] } };
}

/** kube-image mounts one thing of the user's: the claim with the engine's state. Here it holds the socket of the node's Docker. */
function dockerClaim(): readonly object[] {
  const spec = { accessModes: ["ReadWriteOnce"], storageClassName: "" };
  const claimRef = { namespace: cluster.namespace, name: "docker" };
  return [
    {
      kind: "PersistentVolume",
      metadata: { name: cluster.namespace },
      spec: { ...spec, capacity: { storage: "1Gi" }, claimRef, hostPath: { path: dockerFolder }, persistentVolumeReclaimPolicy: "Retain" },
    },
    { kind: "PersistentVolumeClaim", metadata: { name: "docker" }, spec: { ...spec, resources: { requests: { storage: "1Gi" } } } },
  ];
}

function fail(message: string): never {
  throw new Error(message);
}
