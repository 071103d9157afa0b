import { RunnerError } from "@anyrunner/core/driver";
import type { DockerClient } from "@anyrunner/docker-endpoint";

import type { ExecutorFacts } from "./executor.ts";

interface DockerInfo {
  readonly ID?: string;
  readonly NCPU?: number;
  readonly OSType?: string;
  readonly Architecture?: string;
  readonly ServerVersion?: string;
  readonly DockerRootDir?: string;
  readonly Name?: string;
}

interface DockerVersion {
  readonly Version?: string;
  readonly Os?: string;
  readonly Arch?: string;
  readonly Components?: readonly { readonly Name?: string; readonly Version?: string }[];
}

/** Asks what the daemon is. Fails with UNSUPPORTED for one that runs no Linux containers. */
export async function readFacts(client: DockerClient, signal: AbortSignal | undefined): Promise<ExecutorFacts> {
  const [info, version] = await Promise.all([client.json<DockerInfo>({ path: "/info", signal }), client.json<DockerVersion>({ path: "/version", signal })]);
  const system = version.Os ?? info.OSType ?? "linux";
  if (system !== "linux") {
    throw new RunnerError("UNSUPPORTED", `the container engine at ${client.endpoint.host} runs ${system} containers`, {
      hint: "switch it to Linux containers",
    });
  }
  const podman = version.Components?.find(({ Name }) => /podman/i.test(Name ?? ""));
  return {
    engine: podman === undefined ? "docker" : "podman",
    version: podman?.Version ?? version.Version ?? info.ServerVersion ?? "unknown",
    storeId: podman === undefined && info.ID ? info.ID : `${info.Name ?? ""}:${info.DockerRootDir ?? ""}`,
    cpus: info.NCPU || 1,
    platform: `linux/${architecture(version.Arch ?? info.Architecture ?? "amd64")}`,
  };
}

/** The name that image platforms use. */
function architecture(name: string): string {
  switch (name) {
    case "x86_64":
      return "amd64";
    case "aarch64":
      return "arm64";
    default:
      return name;
  }
}
