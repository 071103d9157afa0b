import { RunnerError } from "@anyrunner/core/driver";

import { apiStatusError, type ApiStatus } from "./cluster-error.ts";

/** How a program in a pod ended, by the frame on channel 3. */
export type ExecEnd = { readonly kind: "exited"; readonly exitCode: number } | { readonly kind: "failed"; readonly status: ApiStatus };

/** Reads the status; only its causes are relied on, since its texts differ between versions. */
export function parseExecStatus(text: string): ExecEnd {
  let status: ApiStatus;
  try {
    status = JSON.parse(text) as ApiStatus;
  } catch {
    return { kind: "failed", status: { message: text.slice(0, 300) } };
  }
  if (status.status === "Success") return { kind: "exited", exitCode: 0 };
  const code = status.reason === "NonZeroExitCode" ? status.details?.causes?.find(({ reason }) => reason === "ExitCode")?.message : undefined;
  return code !== undefined && /^\d+$/.test(code) ? { kind: "exited", exitCode: Number(code) } : { kind: "failed", status };
}

/** A program that was not started: it is missing in the container, or the kubelet failed. */
export function execStartError(
  status: ApiStatus,
  place: { readonly pod: string; readonly container: string; readonly program: string; readonly where: string },
): RunnerError {
  const message = status.message ?? "";
  const { pod, container, program } = place;
  if (/executable file not found|no such file or directory|exec format error|permission denied: unknown/i.test(message)) {
    return new RunnerError("WRONG_SERVER", `the container "${container}" of the pod "${pod}" has no program "${program}"`, {
      hint: "name a pod, and with container= the container, that runs a Dagger engine's image",
      driver: "kubernetes",
      details: { pod, container, program, message: message.slice(0, 300) },
    });
  }
  if (
    /container not found|container .*not running|not in the running state|CONTAINER_EXITED state|in a stopped container|is not created or running|does not exist|pod .*not found/i.test(
      message,
    )
  ) {
    return new RunnerError("NOT_RUNNING", `the container "${container}" of the pod "${pod}" does not run: ${message.slice(0, 300)}`, {
      hint: `see its state: kubectl describe pod ${pod}`,
      driver: "kubernetes",
      retryable: true,
    });
  }
  return apiStatusError({ code: 500, ...status }, place);
}
