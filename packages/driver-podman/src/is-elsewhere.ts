import type { ContainerCli } from "./container-cli.ts";

/** Whether the containers are on a machine that was named. Podman's own machine, which shares the user's files, doesn't count. */
export function isElsewhere({ runtime, place, env }: Pick<ContainerCli, "runtime" | "place" | "env">): boolean {
  return runtime.name === "podman" && (place !== undefined || /^(ssh|tcp):/.test(env["CONTAINER_HOST"] ?? ""));
}
