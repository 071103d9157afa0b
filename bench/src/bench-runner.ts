import { createRegistry, openRunner, type Runner } from "@anyrunner/core";

/** A runner by the drivers that the benches compare. */
export function openBenchRunner(url: string): Promise<Runner> {
  return openRunner(url, {
    registry: createRegistry([
      { name: "docker", schemes: ["docker-container"], origin: "@anyrunner/driver-docker", load: () => import("@anyrunner/driver-docker") },
    ]),
  });
}
