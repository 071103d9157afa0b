import { formatRunnerUrl, readOptions, RunnerError, type OptionSpec, type RunnerTarget, type RunnerUrl } from "@anyrunner/core/driver";
import { parseDockerHost } from "@anyrunner/docker-endpoint";
import { ENGINE_IMAGE_OPTIONS, parseEngineImage, withoutSecrets, type ShownEngineImage } from "@anyrunner/engine-container";

/** What a URL means: a container that exists, or an image whose engine is found or made; and where its daemon is said to be. */
export type DockerTarget = DockerContainerTarget | DockerImageTarget;

/** A container that exists. */
export interface DockerContainerTarget extends RunnerTarget, DaemonChoice {
  readonly driver: "docker";
  /** Its name or id. */
  readonly container: string;
}

/** An engine of an image, which is found or made. */
export interface DockerImageTarget extends RunnerTarget, DaemonChoice {
  readonly driver: "docker";
  readonly image: ShownEngineImage;
}

interface DaemonChoice {
  readonly context?: string | undefined;
  readonly host?: string | undefined;
}

export const CONTAINER_SCHEMES = ["docker-container", "container+docker", "container"] as const;
export const IMAGE_SCHEMES = ["docker-image", "image+docker", "image"] as const;

export const DAEMON_OPTIONS = [
  { name: "context", type: "string", help: "Docker context whose daemon has the container. Default: as the docker CLI chooses." },
  { name: "host", type: "string", help: "Docker host whose daemon has the container, such as unix:///run/user/1000/docker.sock. Excludes context." },
] as const satisfies readonly OptionSpec[];

const IMAGE_SCHEME_OPTIONS = [...DAEMON_OPTIONS, ...ENGINE_IMAGE_OPTIONS] as const;

/** The parameters of all schemes; those of an engine that is made belong to the image schemes. */
export const DOCKER_OPTIONS: readonly OptionSpec[] = IMAGE_SCHEME_OPTIONS;

const SECRET_PARAMS = ENGINE_IMAGE_OPTIONS.filter((option: OptionSpec) => option.secret).map(({ name }) => name);

/** moby's rule for container names; ids are among them. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Understands the URL. Fails with INVALID_URL, INVALID_OPTION. */
export function parseDockerTarget(url: RunnerUrl): DockerTarget {
  return (IMAGE_SCHEMES as readonly string[]).includes(url.scheme) ? parseImageTarget(url) : parseContainerTarget(url);
}

function parseImageTarget(url: RunnerUrl): DockerImageTarget {
  const values = readOptions(url, IMAGE_SCHEME_OPTIONS);
  const daemon = checkDaemon(values);
  return { driver: "docker", url: formatRunnerUrl(url, { secretParams: SECRET_PARAMS }), image: withoutSecrets(parseEngineImage(url, values)), ...daemon };
}

function parseContainerTarget(url: RunnerUrl): DockerContainerTarget {
  const values = readOptions(url, DAEMON_OPTIONS);
  const hint = `write ${url.scheme}://NAME`;
  if (url.body === "") throw invalidUrl(url, "it names no container", hint);
  if (!NAME.test(url.body)) throw invalidUrl(url, "a container's name has letters, digits, dots, dashes and underscores only", hint);
  return { driver: "docker", url: formatRunnerUrl(url), container: url.body, ...checkDaemon(values) };
}

function checkDaemon({ context, host }: DaemonChoice): DaemonChoice {
  if (context === "") throw invalidOption("context", "it is empty", "name a context, or leave the parameter away");
  if (host !== undefined) checkHost(host);
  if (context !== undefined && host !== undefined) throw invalidOption("host", "it excludes context", "leave one of them away");
  return { ...(context !== undefined && { context }), ...(host !== undefined && { host }) };
}

function checkHost(host: string): void {
  if (host === "") throw invalidOption("host", "it is empty", "name a Docker host, or leave the parameter away");
  // The URL is printed and stored.
  if (/:[^/@]*@/.test(host.replace(/^[a-z]+:\/\//, ""))) throw invalidOption("host", "it holds a password", "use a Docker context");
  try {
    parseDockerHost(host);
  } catch (error) {
    if (!RunnerError.is(error)) throw error;
    throw invalidOption("host", error.message, error.hint ?? "write unix:///path or tcp://HOST:PORT");
  }
}

function invalidUrl(url: RunnerUrl, reason: string, hint: string): RunnerError {
  return new RunnerError("INVALID_URL", `${formatRunnerUrl(url)} can't be understood: ${reason}`, { hint, driver: "docker" });
}

function invalidOption(name: string, reason: string, hint: string): RunnerError {
  return new RunnerError("INVALID_OPTION", `parameter "${name}" is wrong: ${reason}`, { hint, driver: "docker", details: { parameter: name } });
}
