// For everyone who talks to a Docker daemon.
export { openExecStream, type ExecStream, type OpenExecStreamOptions } from "./exec-stream.ts";
export { createDockerClient, type DockerClient, type DockerClientOptions, type DockerRequest, type DockerResponse, type RawStream } from "./docker-client.ts";
export { resolveDockerEndpoint, type DockerEndpoint, type DockerTls, type ResolveDockerEndpointOptions } from "./resolve-endpoint.ts";
export { formatDockerAddress, isLoopback, parseDockerHost, type DockerAddress } from "./docker-host.ts";
export { dockerStatusError, dockerTransportError } from "./docker-error.ts";
export { NEWEST_API_VERSION, OLDEST_API_VERSION } from "./api-version.ts";
