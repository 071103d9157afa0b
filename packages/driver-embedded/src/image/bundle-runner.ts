import { join } from "node:path";

/** Bundles the programs of the runner's image into a folder, for `buildRunnerImage`. A build step: needs tsup. */
export async function bundleRunner(options: { readonly outPath: string }): Promise<void> {
  const { build } = await import("tsup");
  await build({
    config: false,
    silent: true,
    entry: ["main", "buildctl"].map((name) => join(import.meta.dirname, `${name}.ts`)),
    outDir: options.outPath,
    format: "esm",
    target: "node22",
    platform: "node",
    splitting: true,
    minifySyntax: true,
    noExternal: [/.*/],
    banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
  });
}
