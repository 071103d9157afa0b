import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";

import { packPackages } from "../pack-packages.ts";
import { publishPackages } from "../publish-packages.ts";
import { REPOSITORY } from "../workspace-packages.ts";
import { startRegistry } from "./registry-server.ts";

/** Serves all packages of this clone from a registry on loopback, until it is interrupted: for trying them as users get them. */
const PORT = 4873;
const folder = path.join(REPOSITORY, ".cache", "registry");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const registry = await startRegistry(folder, PORT);
try {
  publishPackages(packPackages(path.join(folder, "packs")), { env: { ...process.env, ...registry.env }, log: (line) => console.log(line) });
} catch (error) {
  await registry[Symbol.asyncDispose]();
  throw error;
}
const { NPM_CONFIG_USERCONFIG: userConfig, NPM_CONFIG_CACHE: cache } = registry.env;
console.log(`\nuse it from another shell, until this is interrupted:\n\nexport NPM_CONFIG_USERCONFIG=${userConfig}\nexport NPM_CONFIG_CACHE=${cache}`);
process.once("SIGINT", () => void registry[Symbol.asyncDispose]());
process.once("SIGTERM", () => void registry[Symbol.asyncDispose]());
