import { readOptions, RunnerError, type OptionSpec, type RunnerTarget, type RunnerUrl } from "@anyrunner/core/driver";

export const EMBEDDED_OPTIONS = [
  { name: "host", type: "string", help: "API address of Docker or Podman, as DOCKER_HOST spells it; default: as the docker CLI finds it" },
  { name: "context", type: "string", help: "the docker context whose engine runs the containers" },
  { name: "state", type: "string", help: "folder for cached contents and results; default: anyrunner/embedded in the user's cache folder" },
] as const satisfies readonly OptionSpec[];

/** Which container engine the runner works on, and which folder it keeps things in. Default for each: as the environment says. */
export interface EmbeddedTarget extends RunnerTarget {
  readonly driver: "embedded";
  readonly host?: string | undefined;
  readonly context?: string | undefined;
  readonly state?: string | undefined;
}

/** `embedded://`, with nothing but parameters behind it. Fails with INVALID_URL or INVALID_OPTION. */
export function parseEmbeddedTarget(url: RunnerUrl): EmbeddedTarget {
  if (url.body !== "") {
    throw new RunnerError("INVALID_URL", "embedded:// names no place, so nothing but parameters may stand behind it", {
      hint: "write embedded://, or embedded://?host=unix:///path/to/docker.sock",
      driver: "embedded",
    });
  }
  const { host, context, state } = readOptions(url, EMBEDDED_OPTIONS);
  if (host !== undefined && context !== undefined) {
    throw new RunnerError("INVALID_OPTION", 'parameters "host" and "context" of embedded:// exclude each other', {
      hint: "give one of them",
      driver: "embedded",
    });
  }
  for (const [name, value] of Object.entries({ host, context, state })) {
    if (value === "")
      throw new RunnerError("INVALID_OPTION", `parameter "${name}" of embedded:// is empty`, { hint: "leave it out, or give it a value", driver: "embedded" });
  }
  return {
    driver: "embedded",
    url: `embedded://${host === undefined ? "" : `?host=${host}`}${context === undefined ? "" : `?context=${context}`}`,
    ...(host === undefined ? {} : { host }),
    ...(context === undefined ? {} : { context }),
    ...(state === undefined ? {} : { state }),
  };
}
