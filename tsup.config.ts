import { readFileSync, rmSync } from "node:fs";

import { defineConfig, type Options } from "tsup";

import { BUNDLED_LICENSES } from "./tooling/bundled-licenses.ts";

type Plugin = NonNullable<Options["esbuildPlugins"]>[number];

interface Manifest {
  readonly name: string;
  readonly main?: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string>>;
}

/** One configuration for every package: run in its folder, it builds what the manifest exports. Declarations come from tsc. */
export default defineConfig(() => {
  const { name, main, bin = {}, exports = {} } = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
  rmSync("dist", { recursive: true, force: true });
  // With dist, tsc's memory of having written declarations there has to go.
  rmSync("tsconfig.tsbuildinfo", { force: true });
  const programs = Object.values(bin).map((file) => file.replace(/^\.\/dist\//, "src/").replace(/\.js$/, ".ts"));
  if (name === "@anyrunner/cli") return [{ ...SELF_CONTAINED, entry: programs }, RUNNER_IMAGE];
  // What GitHub runs is one file.
  if (main !== undefined) return { ...SELF_CONTAINED, entry: ["src/index.ts"], splitting: false };
  // Any other program brings no library along.
  if (programs.length > 0) return { ...SELF_CONTAINED, esbuildPlugins: [LAZY_BUILT_INS], entry: programs };
  return { ...COMMON, entry: Object.values(exports).filter((file) => file.startsWith("./src/")), sourcemap: true };
});

const COMMON: Options = { removeNodeProtocol: false, format: "esm", target: "node22", platform: "node", splitting: true, dts: false };

/**
 * Node reads every export of a built-in module that is imported as an ES module. Those of node:http include getters that load
 * all of fetch, those of node:crypto all of Web Crypto, which together cost more than Node's own start; taken this way, they
 * stay untouched.
 */
const LAZY_BUILT_INS: Plugin = {
  name: "lazy-built-ins",
  setup(build) {
    build.onResolve({ filter: /^(node:)?(http|crypto)$/ }, ({ path }) => ({ path: `node:${path.replace("node:", "")}`, namespace: "built-in" }));
    build.onLoad({ filter: /.*/, namespace: "built-in" }, ({ path }) => ({ contents: `module.exports = process.getBuiltinModule("${path}");` }));
  },
};

/** A program brings everything along but Node itself; CommonJS inside the bundle needs a `require` for Node's modules. */
const SELF_CONTAINED: Options = {
  ...COMMON,
  noExternal: [/.*/],
  esbuildPlugins: [LAZY_BUILT_INS, BUNDLED_LICENSES],
  minifySyntax: true,
  banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
};

/** The programs of the runner's container image, which the command puts into it. */
const RUNNER_IMAGE: Options = {
  ...SELF_CONTAINED,
  entry: ["main", "buildctl"].map((name) => `../../packages/driver-embedded/src/image/${name}.ts`),
  outDir: "dist/runner-image",
};
