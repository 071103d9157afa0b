import type { DockerClient } from "./docker-client.ts";

/** Marks the programs of one exec in their environment, so that they can be found from inside the container. */
export const MARKER_VARIABLE = "ANYRUNNER_EXEC";

const BUDGET_MS = 10_000;
/** More than once, since a program that is about to be killed may start another that the list doesn't have. */
const SCRIPT =
  'for pass in 1 2 3; do for file in /proc/[0-9]*/environ; do if grep -q -- "$1" "$file" 2>/dev/null; then id=${file#/proc/}; kill -9 "${id%/environ}"; fi; done; done';

/**
 * Kills every process of a container that carries the marker. The Docker API can't end an exec, so this is another exec of
 * the container's own `sh` and `grep`, as root; a container without them keeps the process until it stops.
 */
export async function terminateMarked(client: DockerClient, options: { readonly container: string; readonly marker: string }): Promise<void> {
  const signal = AbortSignal.timeout(BUDGET_MS);
  const { Id: id } = await client.json<{ Id: string }>({
    method: "POST",
    path: `/containers/${encodeURIComponent(options.container)}/exec`,
    json: { Cmd: ["sh", "-c", SCRIPT, "sh", `${MARKER_VARIABLE}=${options.marker}`], User: "0" },
    signal,
  });
  const response = await client.request({ method: "POST", path: `/exec/${id}/start`, json: { Detach: true, Tty: false }, signal });
  response.body.resume();
}
