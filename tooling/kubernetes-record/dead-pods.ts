import type { JobPod } from "./job-pod.ts";
import { kubectl, until } from "./kubectl.ts";
import type { Row } from "./scenarios.ts";
import type { RecordSettings } from "./settings.ts";

interface SeenCheck {
  readonly id: string;
  readonly detail: string;
}

interface Dead {
  /** What its state says then. */
  readonly state: RegExp;
  readonly container?: object;
  readonly nodeSelector?: Readonly<Record<string, string>>;
}

const RESTARTED = /"restartCount":[1-9]/;
const TAKES_TOO_MUCH = { command: ["sh", "-c", "echo taking too much; sleep 1; tail /dev/zero"], resources: { limits: { memory: "32Mi" } } };
/** Why each does not run. */
const DEAD: Readonly<Record<string, Dead>> = {
  crashing: { state: RESTARTED, container: { command: ["sh", "-c", "echo no loop device; exit 3"] } },
  hungry: { state: RESTARTED, container: TAKES_TOO_MUCH },
  imageless: { state: /ImagePullBackOff/, container: { image: "127.0.0.1:1/nothing:1" } },
  placeless: { state: /Unschedulable/, nodeSelector: { "anyrunner-record": "nowhere" } },
};

/** What doctor says of pods that don't run and were never reached, from a job without kubectl. */
export async function deadPods(settings: RecordSettings, job: JobPod): Promise<readonly Row[]> {
  for (const [name, dead] of Object.entries(DEAD)) await kubectl(settings, ["apply", "--filename", "-"], JSON.stringify(podOf(settings, name, dead)));
  const rows: Row[] = [];
  for (const [name, { state }] of Object.entries(DEAD)) {
    await until(`${name} is dead`, 120, async () => state.test(await kubectl(settings, ["get", "pod", name, "--output", "jsonpath={.status}"])));
    const { exitCode, stdout, stderr, seconds } = await job.start(`anyrunner doctor kube-pod://${name} --json`).finished;
    if (exitCode !== 1) throw new Error(`doctor ended with ${exitCode}: ${stdout}${stderr}`);
    const { checks } = JSON.parse(stdout) as { readonly checks: readonly SeenCheck[] };
    const said = ["engine.dial", "runner.state", "runner.events", "engine.log"].flatMap((id) => checks.filter((check) => check.id === id).map(inLine));
    rows.push([`\`doctor kube-pod://${name}\`, ${seconds.toFixed(1)} s`, said.join("<br>")]);
    await kubectl(settings, ["delete", "pod", name, "--grace-period=0", "--force"]);
  }
  return rows;
}

function podOf({ jobImage }: RecordSettings, name: string, { nodeSelector = {}, container = {} }: Dead): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: "engine", image: jobImage, imagePullPolicy: "IfNotPresent", ...container }],
      nodeSelector,
    },
  };
}

function inLine({ id, detail }: SeenCheck): string {
  return `${id}: \`${detail.replaceAll(/\s+/g, " ").replaceAll("|", "\\|")}\``;
}
