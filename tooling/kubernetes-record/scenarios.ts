import { makeJobPod, type JobPod } from "./job-pod.ts";
import { kubectl, until, type Finished } from "./kubectl.ts";
import type { RecordSettings } from "./settings.ts";

/** A line of the record: what was done, and what came. */
export type Row = readonly [did: string, came: string];

const SELECTOR = "kube-pod://?selector=app=dagger-engine";
const VERSION = `echo '{ version }' | anyrunner query --runner`;
/** On a disk that has less than a fifth free, an engine's garbage collection drops the very steps that are compared. */
const KEEPS_EVERYTHING = JSON.stringify({ gc: { enabled: false } });

/** A job finds an engine by its label, without kubectl and Docker. */
export async function withoutTools(settings: RecordSettings, job: JobPod): Promise<readonly Row[]> {
  const tools = await job.start("for each in kubectl docker podman nerdctl; do command -v $each; done; ls /var/run/docker.sock /root/.kube 2>/dev/null; true")
    .finished;
  if (tools.stdout !== "") throw new Error(`the job's image has ${tools.stdout}`);
  const version = succeeded(await job.start(`${VERSION} '${SELECTOR}'`).finished);
  const example = succeeded(await job.start(`anyrunner run --silent --runner '${SELECTOR}' -- node main.ts`).finished);
  return [
    ["programs of the job's image: kubectl, docker, podman, nerdctl; a Docker socket, a kubeconfig", "none"],
    [`\`query --runner '${SELECTOR}'\``, oneLine(version.stdout)],
    ["`run -- node main.ts` of examples/build-and-export, the same runner", oneLine(example.stdout)],
  ];
}

/** The token is replaced and the old one revoked while a step runs. */
export async function rotatedToken(settings: RecordSettings, job: JobPod): Promise<readonly Row[]> {
  const old = await job.newToken();
  const run = job.start(`anyrunner run --silent --runner '${SELECTOR}' -- node sleep.ts 25 ${Date.now()}`);
  await run.said("started");
  const next = await job.newToken();
  await old.revoke();
  await until("the old token is refused", 30, async () => !(await isAccepted(settings, old.token)));
  const after = succeeded(await job.start(`${VERSION} '${SELECTOR}'`).finished);
  const { stdout, seconds } = succeeded(await run.finished);
  await next.revoke();
  await until("the new token is refused", 30, async () => !(await isAccepted(settings, next.token)));
  const refused = await job.start(`${VERSION} '${SELECTOR}'`).finished;
  await job.newToken();
  return [
    [
      "a step of 25 s; meanwhile a new token in the file, the old one revoked and refused by the API server",
      `exit code 0 after ${seconds.toFixed(0)} s, ${oneLine(stdout)}`,
    ],
    ["a new command with the new token, meanwhile", oneLine(after.stdout)],
    ["the new one revoked, too", `${errorOf(refused)}, after ${refused.seconds.toFixed(1)} s`],
  ];
}

/** The engine's pod is deleted under a query. */
export async function lostEngine(settings: RecordSettings, job: JobPod): Promise<readonly Row[]> {
  const step = `anyrunner run --silent --runner '${SELECTOR}' -- node sleep.ts`;
  const run = job.start(`${step} 120 ${Date.now()}`);
  await run.said("started");
  const before = await podUid(settings, "dagger-engine-0");
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await kubectl(settings, ["delete", "pod", "dagger-engine-0", "--grace-period=0", "--force"]);
  const killed = performance.now();
  const lost = await run.finished;
  const after = (performance.now() - killed) / 1000;
  if (lost.exitCode === 0) throw new Error("the step ended as if nothing had happened");
  const again = succeeded(await job.start(`${step} 1 ${Date.now()}`).finished);
  if ((await podUid(settings, "dagger-engine-0")) === before) throw new Error("there is no successor");
  return [
    [
      "the engine's pod deleted (`--grace-period=0 --force`) during a step of 120 s",
      `${errorOf(lost)}; ${after.toFixed(1)} s after the deletion, exit code ${lost.exitCode}`,
    ],
    ["the next command at once", `on the successor, after ${again.seconds.toFixed(0)} s`],
  ];
}

/** Engines that a job's pod owns go with it, or with their lease. */
export async function ownedEngine(settings: RecordSettings, job: JobPod): Promise<readonly Row[]> {
  const { engineImage } = settings;
  const owned = (lease: string, name = "") => `kube-image://${engineImage}?pull=never&owner=self&lease=${lease}&config=none&ca=none${name}`;
  const second = await makeJobPod(settings, "job-2");
  await second.newToken();
  const made = succeeded(await second.start(`${VERSION} '${owned("15m")}'`).finished);
  const things = await ours(settings);
  await kubectl(settings, ["delete", "pod", "job-2", "--wait=true"]);
  const gone = await until("nothing of the job is left", 120, async () => (await ours(settings)).length === 0);

  const third = await makeJobPod(settings, "job-3");
  await third.newToken();
  succeeded(await third.start(`${VERSION} '${owned("15s", "&name=job-3-engine")}'`).finished);
  await new Promise((resolve) => setTimeout(resolve, 20_000));
  const kept = await ours(settings);
  const other = succeeded(await job.start(`${VERSION} '${owned("15m")}'`).finished);
  const left = await until("nothing of the other job is left", 120, async () => (await ours(settings)).every((name) => !name.includes("job-3")));
  const renewing = await renewedLease(settings, job, owned("15s", "&name=renewed"));
  await kubectl(settings, ["delete", "pod", "job-3", "--wait=false"]);
  return [
    ["`query --runner 'kube-image://IMAGE?owner=self&lease=15m'` in another job's pod", `${oneLine(made.stdout)}; ${things.join(", ")}`],
    ["that job's pod deleted", `${gone.toFixed(0)} s later none of these is left`],
    ["a third job with `lease=15s`, idle for 20 s, its pod still there", `${kept.filter((name) => name.includes("job-3")).length} objects of it are there`],
    [
      "then a command of the first job",
      `${oneLine(other.stdout)}; \`${said(other.stderr, /removing the engine[^\n]*/)}\`; ${left.toFixed(0)} s later none is left`,
    ],
    ["a step of 40 s on an engine with `lease=15s`, and a command of another job meanwhile", renewing],
  ];
}

async function renewedLease(settings: RecordSettings, job: JobPod, runner: string): Promise<string> {
  const run = job.start(`anyrunner run --silent --runner '${runner}' -- node sleep.ts 40 ${Date.now()}`);
  await run.said("started");
  await new Promise((resolve) => setTimeout(resolve, 25_000));
  const lease = JSON.parse(await kubectl(settings, ["get", "lease", "renewed", "--output", "json"])) as {
    readonly spec: { readonly renewTime: string; readonly acquireTime: string };
  };
  succeeded(await job.start(`${VERSION} 'kube-image://${settings.engineImage}?pull=never&owner=self&config=none&ca=none'`).finished);
  succeeded(await run.finished);
  return `the step ends with exit code 0; its lease was renewed ${((Date.parse(lease.spec.renewTime) - Date.parse(lease.spec.acquireTime)) / 1000).toFixed(0)} s after it was made`;
}

/** A stop waits for a step, and the cache outlives it. */
export async function rollout(settings: RecordSettings, job: JobPod): Promise<readonly Row[]> {
  const url = `kube-image://${settings.engineImage}?pull=never&claim=cache&name=kept&config=/work/engine.json&ca=none`;
  succeeded(await job.start(`echo '${KEEPS_EVERYTHING}' > engine.json && anyrunner add kept '${url}' && anyrunner start kept`).finished);
  // The volume may have the cache of an earlier record.
  const step = `anyrunner run --silent --runner kept -- node sleep.ts 60 ${Date.now()}`;
  const run = job.start(step);
  await run.said("started");
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const stopping = job.start("anyrunner stop kept");
  await stopping.said("waiting for 1 session");
  const refused = await job.start(`${VERSION} kept`).finished;
  const first = succeeded(await run.finished);
  const stopped = succeeded(await stopping.finished);
  const started = succeeded(await job.start("anyrunner start kept").finished);
  const again = succeeded(await job.start(step).finished);
  if (again.stdout !== first.stdout) throw new Error(`executed again: ${first.stdout} ${again.stdout}`);
  const usage = succeeded(await job.start("anyrunner du kept; anyrunner ls").finished);
  const restart = await restarted(settings, job, step, first);
  const removed = succeeded(await job.start("anyrunner rm kept").finished);
  const claim = await kubectl(settings, ["get", "pvc", "cache", "--output", "name"]);
  return [
    ["`stop kept` during a step of 60 s", `${quoted(stopped.stderr)}; the step ended with exit code 0`],
    ["a command meanwhile", errorOf(refused)],
    ["`start kept`, then the same step", `${quoted(started.stderr)}; the same output after ${again.seconds.toFixed(1)} s: nothing was executed`],
    ["`du kept`, `ls`", quoted(usage.stdout)],
    ["`kubectl rollout restart` of it, then the same step at once", restart],
    ["`rm kept`", `${quoted(removed.stderr)}; ${claim.trim()} is there`],
  ];
}

async function restarted(settings: RecordSettings, job: JobPod, step: string, first: Finished): Promise<string> {
  await kubectl(settings, ["rollout", "restart", "statefulset/kept"]);
  const again = succeeded(await job.start(step).finished);
  if (again.stdout !== first.stdout) throw new Error(`executed again after the rollout: ${first.stdout} ${again.stdout}`);
  return `the same output after ${again.seconds.toFixed(1)} s, the rollout included: nothing was executed`;
}

/** Everything in the namespace that anyrunner made. */
async function ours(settings: RecordSettings): Promise<readonly string[]> {
  const list = await kubectl(settings, ["get", "statefulsets,pods,secrets,configmaps,leases,pvc", "--selector", "dev.anyrunner.role", "--output", "name"]);
  return list.split("\n").filter((line) => line !== "");
}

async function podUid(settings: RecordSettings, name: string): Promise<string> {
  return kubectl(settings, ["get", "pod", name, "--ignore-not-found", "--output", "jsonpath={.metadata.uid}"]);
}

async function isAccepted(settings: RecordSettings, token: string): Promise<boolean> {
  const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } };
  const answer = await kubectl(settings, ["create", "--filename", "-", "--output", "json"], JSON.stringify(review));
  return (JSON.parse(answer) as { readonly status: { readonly authenticated?: boolean } }).status.authenticated === true;
}

function succeeded(finished: Finished): Finished {
  if (finished.exitCode !== 0) throw new Error(`it ended with ${finished.exitCode}: ${finished.stdout}${finished.stderr}`);
  return finished;
}

/** Code and message of the command's error. */
function errorOf({ exitCode, stderr }: Finished): string {
  if (exitCode === 0) throw new Error("it succeeded");
  const lines = stderr.split("\n").filter((line) => /^(error|hint)|Error: |[A-Z_]{6,}/.test(line));
  return quoted((lines.length > 0 ? lines : stderr.split("\n").slice(-4)).slice(0, 3).join("\n"));
}

function said(text: string, pattern: RegExp): string {
  return pattern.exec(text)?.[0] ?? "nothing";
}

function quoted(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => `\`${line.replaceAll("|", "\\|")}\``)
    .join(", ");
}

function oneLine(text: string): string {
  return `\`${text.replaceAll(/\s+/g, " ").trim()}\``;
}
