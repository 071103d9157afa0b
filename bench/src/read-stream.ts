import { pipeline } from "node:stream/promises";

import { openBenchRunner } from "./bench-runner.ts";

/** Copies one connection of a runner to standard output: what a bench compares with `docker exec -i`. */
const runner = await openBenchRunner(process.argv[2] ?? "");
const { stream } = await runner.connect();
await pipeline(stream, process.stdout, { end: false });
