// A runner that a test kills: opens a segment, starts a step in it and tells when it runs.
import { createTestExecutor, run } from "./test-executor.ts";

const world = await createTestExecutor({ labels: { "anyrunner.test": process.argv[2] ?? "" } });
const segment = await world.open();
await run(segment, "echo up; sleep 1000", { stdout: () => void process.stdout.write("up\n") });
