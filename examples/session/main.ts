import { createRegistry, openRunner } from "@anyrunner/core";
import { openSession } from "@anyrunner/engine";

const [url = "unix:///run/dagger/engine.sock"] = process.argv.slice(2);
const registry = createRegistry([
  { name: "socket", schemes: ["unix", "tcp"], origin: "@anyrunner/driver-socket", load: () => import("@anyrunner/driver-socket") },
]);
const runner = await openRunner(url, { registry });
const session = await openSession(runner, { env: process.env, cwd: process.cwd() });
console.log(await session.query({ query: "{ version }" }));
await session.close();
