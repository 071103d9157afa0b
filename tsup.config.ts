import { readFileSync, rmSync } from "node:fs";

import { defineConfig } from "tsup";

interface Manifest {
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string>>;
}

/** One configuration for every package: run in its folder, it builds what the manifest exports. Declarations come from tsc. */
export default defineConfig(() => {
  const { bin = {}, exports = {} } = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
  const programs = Object.values(bin).map((file) => file.replace(/^\.\/dist\//, "src/").replace(/\.js$/, ".ts"));
  // tsup empties dist; without this, tsc would believe that its declarations are still there.
  rmSync("tsconfig.tsbuildinfo", { force: true });
  return {
    entry: [...programs, ...Object.values(exports).filter((file) => file.startsWith("./src/"))],
    format: "esm",
    target: "node22",
    platform: "node",
    splitting: true,
    sourcemap: programs.length === 0,
    clean: true,
    dts: false,
    ...(programs.length > 0 ? selfContained : {}),
  };
});

/** A program brings everything along but Node itself; CommonJS inside the bundle needs a `require` for Node's modules. */
const selfContained = {
  noExternal: [/.*/],
  minifySyntax: true,
  banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
};
