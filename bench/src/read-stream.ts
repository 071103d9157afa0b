import { pipeline } from "node:stream/promises";

import { openRunner, createRegistry } from "@anyrunner/core";

/** Copies one connection of a runner to standard output: what a bench compares with `docker exec -i`. */
const url = process.argv[2] ?? "";
const registry = createRegistry([{ name: "docker", schemes: ["docker-container"], origin: "@anyrunner/driver-docker", load: () => import("@anyrunner/driver-docker") }]);
const runner = await openRunner(url, { registry });
const { stream } = await runner.connect();
await pipeline(stream, process.stdout, { end: false });
