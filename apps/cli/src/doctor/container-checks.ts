import { createDemultiplexer, createDockerClient, type DockerClient, type DockerEndpoint } from "@anyrunner/docker-endpoint";
import type { Check } from "@anyrunner/engine-container";

import { checked, type Recorder } from "./check.ts";

/** What `GET /containers/ID/json` says, as far as it matters here. */
export interface InspectedContainer {
  readonly Id: string;
  readonly Name: string;
  readonly State: { readonly Status: string; readonly ExitCode: number; readonly OOMKilled: boolean; readonly Error?: string; readonly FinishedAt?: string };
  readonly RestartCount?: number;
  readonly Config?: { readonly Image?: string; readonly Tty?: boolean };
  readonly HostConfig?: { readonly Privileged?: boolean; readonly CapAdd?: readonly string[] | null; readonly Memory?: number };
  readonly Mounts?: readonly { readonly Type: string; readonly Name?: string; readonly Source?: string; readonly Destination: string }[] | null;
}

const STATE_FOLDER = "/var/lib/dagger";
const BUDGET_MS = 10_000;
const LOG_LINES = 20;
const LOG_LIMIT = 4096;

/** Whether the container is as an engine needs it, and how it ended if it did; with the end of its log when it doesn't run. Gives whether it runs. */
export async function checkContainer(
  { endpoint, container }: { readonly endpoint: DockerEndpoint; readonly container: string },
  { record, signal }: { readonly record: Recorder; readonly signal: AbortSignal },
): Promise<boolean> {
  const client = createDockerClient(endpoint);
  const budget = AbortSignal.any([signal, AbortSignal.timeout(BUDGET_MS)]);
  try {
    const inspected = await checked({ id: "container", record, signal }, async () => {
      const value = await client.json<InspectedContainer>({ path: `/containers/${encodeURIComponent(container)}/json`, signal: budget });
      return { value, ...describeEnd(value) };
    });
    if (inspected === undefined) return false;
    const sharers = await sharersOf(client, inspected, budget).catch(() => []);
    for (const check of containerChecks(inspected, sharers)) record(check);
    if (inspected.State.Status === "running") return true;
    const log = await readTail(client, inspected, budget).catch(() => "");
    record({ id: "container.log", status: log === "" ? "skipped" : "ok", detail: log === "" ? "it wrote nothing" : `its last words:\n${log}` });
    return false;
  } finally {
    client.close();
  }
}

/** What the container was made with. `sharers`: other running containers on the same state. */
export function containerChecks({ HostConfig: host = {}, Mounts: mounts }: InspectedContainer, sharers: readonly string[]): readonly Check[] {
  const state = (mounts ?? []).find(({ Destination }) => Destination === STATE_FOLDER);
  const capabilities = (host.CapAdd ?? []).map((name) => name.replace(/^CAP_/, ""));
  const isPrivileged = host.Privileged === true || capabilities.includes("ALL") || capabilities.includes("SYS_ADMIN");
  return [
    isPrivileged
      ? { id: "container.privileges", status: "ok", detail: host.Privileged === true ? "privileged" : `capabilities ${capabilities.join(", ")}` }
      : {
          id: "container.privileges",
          status: "failed",
          detail: "it has no CAP_SYS_ADMIN, without which an engine can't run containers",
          remedy: "make it anew with --privileged",
        },
    state === undefined
      ? {
          id: "container.state",
          status: "failed",
          detail: `${STATE_FOLDER} is no volume: it lies on the container's overlay, where an engine can't mount its layers`,
          remedy: `make it anew with -v NAME:${STATE_FOLDER}`,
        }
      : {
          id: "container.state",
          status: "ok",
          detail: `${STATE_FOLDER} is ${state.Type === "volume" ? `the volume ${state.Name ?? ""}` : (state.Source ?? state.Type)}`,
        },
    sharers.length > 0
      ? {
          id: "container.lock",
          status: "failed",
          detail: `${sharers.join(", ")} uses the same ${STATE_FOLDER}: only one engine may`,
          remedy: "stop the other one, or give it a volume of its own",
        }
      : { id: "container.lock", status: "ok", detail: "no other running container uses its state" },
  ];
}

function describeEnd({ Name: name, State: state, RestartCount: restarts = 0, HostConfig: host, Config: config }: InspectedContainer): Omit<Check, "id"> {
  const label = `${name.replace(/^\//, "")} of ${config?.Image ?? "an unknown image"}`;
  if (state.Status === "running") {
    const often = restarts > 2;
    return {
      status: often ? "warning" : "ok",
      detail: `${label} is running${restarts > 0 ? `, restarted ${restarts} times` : ""}`,
      ...(often && { remedy: "see why it ends: anyrunner logs" }),
    };
  }
  const limit = host?.Memory === undefined || host.Memory === 0 ? "" : ` of ${Math.round(host.Memory / 1024 ** 2)} MiB`;
  const why = state.OOMKilled ? `, killed for lack of memory${limit}` : state.ExitCode === 137 ? ", killed (137)" : "";
  const error = state.Error ? `: ${state.Error}` : "";
  return {
    status: "failed",
    detail: `${label} is ${state.Status}, exit code ${state.ExitCode}${why}${error}${state.FinishedAt === undefined ? "" : `, at ${state.FinishedAt}`}`,
    remedy: state.OOMKilled ? "give it more memory, then start it" : "start it: anyrunner start, or docker start",
  };
}

async function sharersOf(client: DockerClient, { Id: own, Mounts: mounts }: InspectedContainer, signal: AbortSignal): Promise<readonly string[]> {
  const volume = (mounts ?? []).find(({ Destination, Type }) => Destination === STATE_FOLDER && Type === "volume")?.Name;
  if (volume === undefined) return [];
  const users = await client.json<readonly { readonly Id: string; readonly Names: readonly string[] | null }[]>({
    path: "/containers/json",
    query: { filters: { volume: [volume] } },
    signal,
  });
  return users.filter(({ Id }) => Id !== own).map(({ Id, Names }) => Names?.[0]?.replace(/^\//, "") ?? Id);
}

async function readTail(client: DockerClient, { Id: id, Config: config }: InspectedContainer, signal: AbortSignal): Promise<string> {
  const { body } = await client.request({ path: `/containers/${id}/logs`, query: { stdout: true, stderr: true, tail: LOG_LINES }, signal });
  let text = "";
  const sink = (chunk: Buffer) => void (text = (text + chunk.toString("utf8")).slice(-LOG_LIMIT));
  const demultiplexer = createDemultiplexer({ stdout: sink, stderr: sink });
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (config?.Tty === true) sink(chunk);
    else demultiplexer.push(chunk);
  }
  return text.trim();
}
