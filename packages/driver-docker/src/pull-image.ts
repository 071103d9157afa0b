import { RunnerError, throwIfAborted, type CallOptions } from "@anyrunner/core/driver";
import type { DockerClient } from "@anyrunner/docker-endpoint";
import { parseImageReference } from "@anyrunner/engine-container";

import { createPullProgress, type PullStep } from "./pull-progress.ts";

export interface PullImageOptions extends CallOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform?: string | undefined;
}

/**
 * Pulls an image with the login that Docker's configuration has for its registry, and tells the progress.
 * Fails with IMAGE_PULL_FAILED, ABORTED, or as a request to the daemon does.
 */
export async function pullImage(client: DockerClient, reference: string, options: PullImageOptions): Promise<void> {
  throwIfAborted(options.signal);
  const { registry, tag, digest } = parseImageReference(reference);
  const login = await findLogin(registry, options);
  throwIfAborted(options.signal);
  const progress = createPullProgress(reference, options.report);
  try {
    const { body } = await client.request({
      method: "POST",
      path: "/images/create",
      query: { fromImage: reference.replace(/@.*$/, "").replace(/:[^/:]*$/, ""), tag: digest ?? tag ?? "latest", platform: options.platform },
      headers: login === undefined ? undefined : { "X-Registry-Auth": toHeader({ ...login, serveraddress: registry }) },
      signal: options.signal,
    });
    await follow(body, progress.push);
    progress.end();
  } catch (error) {
    throwIfAborted(options.signal);
    throw pullError(error, { reference, registry, loggedIn: login !== undefined });
  }
}

interface Login {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

async function findLogin(registry: string, { env, signal, report }: PullImageOptions): Promise<Login | undefined> {
  const { registryCredentials } = await import("@anyrunner/config");
  const found = await registryCredentials({ host: registry, env, signal, report });
  if (found === undefined) return undefined;
  return found.username === "" ? { identitytoken: found.secret } : { username: found.username, password: found.secret };
}

/** What the Docker API wants: base64 for URLs, with its padding. */
function toHeader(login: Login & { readonly serveraddress: string }): string {
  return Buffer.from(JSON.stringify(login)).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

/** The answer is 200 whatever happens; how it went is in its lines. One that is cut off is no success. */
async function follow(body: NodeJS.ReadableStream, push: (step: PullStep) => void): Promise<void> {
  let rest = "";
  let ended = false;
  body.once("end", () => (ended = true));
  body.setEncoding("utf8");
  for await (const chunk of body) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) pushLine(line, push);
  }
  pushLine(rest, push);
  if (!ended) throw new RunnerError("CONNECTION_LOST", "the Docker daemon closed the connection in the middle of a pull", { retryable: true });
}

function pushLine(line: string, push: (step: PullStep) => void): void {
  if (line.trim() === "") return;
  const step = JSON.parse(line) as PullStep;
  if (step.error !== undefined) throw new Error(step.error);
  push(step);
}

interface PullFacts {
  readonly reference: string;
  readonly registry: string;
  readonly loggedIn: boolean;
}

function pullError(error: unknown, { reference, registry, loggedIn }: PullFacts): RunnerError {
  // Without a status the daemon didn't answer at all.
  if (RunnerError.is(error) && error.details?.["status"] === undefined) return error;
  const words = error instanceof Error ? error.message : String(error);
  return new RunnerError("IMAGE_PULL_FAILED", `the image ${reference} can't be pulled: ${words}`, {
    hint: pullHint(words, registry, loggedIn),
    cause: error,
    driver: "docker",
    details: { image: reference, registry, loggedIn },
  });
}

function pullHint(words: string, registry: string, loggedIn: boolean): string {
  if (/no space left on device|disk quota exceeded/i.test(words)) return "make room on the daemon's disk: anyrunner du, anyrunner prune, docker system prune";
  if (/unauthorized|denied|authentication required|no basic auth|forbidden/i.test(words))
    return loggedIn ? `renew the login: docker login ${registry}; or check the name` : `log in: docker login ${registry}; or check the name`;
  if (/manifest unknown|not found|does not exist|no matching manifest/i.test(words)) return "check name, tag and platform of the image";
  if (/no such host|dial tcp|i\/o timeout|connection refused|TLS|x509|proxy/i.test(words))
    return `check whether the Docker daemon reaches ${registry}: the pull is the daemon's, with its own proxy and certificates`;
  return "pull it by hand to see more";
}
