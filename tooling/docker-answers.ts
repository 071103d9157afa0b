import { createDockerClient, resolveDockerEndpoint } from "@anyrunner/docker-endpoint";

/** Exits 0 when a container engine answers where the docker CLI would look for it, else 1 with the reason on standard error. */
try {
  const client = createDockerClient(await resolveDockerEndpoint({ env: process.env }));
  const version = await client.apiVersion(AbortSignal.timeout(5000));
  client.close();
  console.error(`container engine: ${client.endpoint.host}, API ${version}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
