import { RunnerError, throwIfAborted, type CallOptions } from "@anyrunner/core";
import { dockerStatusError, dockerTransportError, parseDockerHost, type DockerClient, type DockerEndpoint } from "@anyrunner/docker-endpoint";
import { parseImageReference } from "@anyrunner/engine-container";
import type Dockerode from "dockerode";

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
  const [docker, login] = await Promise.all([openDockerode(client, options), findLogin(registry, options)]);
  throwIfAborted(options.signal);
  const progress = createPullProgress(reference, options.report);
  try {
    const create = { fromImage: reference.replace(/@.*$/, "").replace(/:[^/:]*$/, ""), tag: digest ?? tag ?? "latest", platform: options.platform };
    const body = await docker.createImage(login === undefined ? undefined : { ...login, serveraddress: registry }, {
      ...create,
      ...(options.signal !== undefined && { abortSignal: options.signal }),
    });
    await follow(body, progress.push);
    progress.end();
  } catch (error) {
    throwIfAborted(options.signal);
    throw pullError(error, { reference, registry, loggedIn: login !== undefined, endpoint: client.endpoint });
  }
}

/** dockerode costs 80 ms to load, so it is loaded for a pull only. It must not look at this process's environment. */
async function openDockerode(client: DockerClient, options: CallOptions): Promise<Dockerode> {
  const [{ default: Docker }, version] = await Promise.all([import("dockerode"), client.apiVersion(options.signal)]);
  return new Docker({ ...(await dockerodeAddress(client)), version: `v${version}`, timeout: undefined } as Dockerode.DockerOptions);
}

/** Through the client's own connections, which know of proxies and ssh. */
async function dockerodeAddress(client: DockerClient): Promise<object> {
  const { host, tls } = client.endpoint;
  const address = parseDockerHost(host);
  if (address.kind === "unix" || address.kind === "npipe") return { host: undefined, socketPath: address.path };
  const place = address.kind === "ssh" ? { host: "localhost", port: 80 } : { host: address.hostname, port: address.port };
  return { ...place, protocol: tls === undefined ? "http" : "https", agent: await client.agent() };
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

/**
 * The answer is 200 whatever happens; how it went is in its lines. Read here, since dockerode's own reader takes an answer that
 * was cut off for a success, and throws where nobody catches for a line that is no JSON.
 */
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
  readonly endpoint: DockerEndpoint;
}

function pullError(error: unknown, { reference, registry, loggedIn, endpoint }: PullFacts): RunnerError {
  if (RunnerError.is(error)) return error;
  const { statusCode, code, message } = error as { readonly statusCode?: number; readonly code?: string; readonly message: string };
  if (statusCode === undefined && code !== undefined) return dockerTransportError(error, endpoint);
  const words = statusCode === undefined ? message : dockerStatusError(statusCode, daemonWords(error), endpoint).message;
  return new RunnerError("IMAGE_PULL_FAILED", `the image ${reference} can't be pulled: ${words}`, {
    hint: pullHint(words, registry, loggedIn),
    cause: error,
    driver: "docker",
    details: { image: reference, registry, loggedIn },
  });
}

function daemonWords(error: unknown): string {
  const { json, message } = error as { readonly json?: unknown; readonly message: string };
  if (typeof json === "object" && json !== null && "message" in json && typeof json.message === "string") return json.message;
  return message.replace(/^\(HTTP code \d+\) [^-]*- /, "").trim();
}

function pullHint(words: string, registry: string, loggedIn: boolean): string {
  if (/unauthorized|denied|authentication required|no basic auth|forbidden/i.test(words))
    return loggedIn ? `renew the login: docker login ${registry}; or check the name` : `log in: docker login ${registry}; or check the name`;
  if (/manifest unknown|not found|does not exist|no matching manifest/i.test(words)) return "check name, tag and platform of the image";
  if (/no such host|dial tcp|i\/o timeout|connection refused|TLS|x509|proxy/i.test(words))
    return `check whether the Docker daemon reaches ${registry}: the pull is the daemon's, with its own proxy and certificates`;
  return "pull it by hand to see more";
}
