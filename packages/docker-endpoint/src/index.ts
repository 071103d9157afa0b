// For everyone who talks to a Docker daemon.
export { openExecStream, type ExecStream, type ExitCodeOptions, type OpenExecStreamOptions } from "./exec-stream.ts";
export { createDockerClient, type DockerClient, type DockerClientOptions, type DockerRequest, type DockerResponse, type RawStream } from "./docker-client.ts";
export { resolveDockerEndpoint, type DockerEndpoint, type DockerTls, type ResolveDockerEndpointOptions } from "./resolve-endpoint.ts";
export { createDemultiplexer, type Demultiplexer, type DemultiplexerSinks } from "./demultiplex.ts";
export { readJson, readText } from "./read-body.ts";
export { parseDockerHost, type DockerAddress } from "./docker-host.ts";
export { dockerTransportError } from "./docker-error.ts";
export type { DialDockerSsh } from "./dial-ssh.ts";

// Images and small files.
export { pullImage, registryHint, type PullImageOptions } from "./pull-image.ts";
export { createLayerProgress, type LayerProgress, type LayerProgressOptions } from "./layer-progress.ts";
export { followImageSteps, type ImageStep } from "./image-steps.ts";
export { registryAuth, type RegistryAuthOptions } from "./registry-auth.ts";
export { readContainerFile, writeContainerFile } from "./container-file.ts";
export { packTar, type TarFile } from "./tar.ts";
