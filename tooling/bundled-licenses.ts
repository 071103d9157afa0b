import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import type { Options } from "tsup";

type Plugin = NonNullable<Options["esbuildPlugins"]>[number];

/** Writes the licences of all packages of others that a bundle contains into `third-party-licenses.txt` beside it, as most of them demand. */
export const BUNDLED_LICENSES: Plugin = {
  name: "bundled-licenses",
  setup(build) {
    build.initialOptions.metafile = true;
    build.onEnd(({ metafile }) => {
      const outputs = Object.values(metafile?.outputs ?? {});
      const inputs = outputs.flatMap((output) => Object.entries(output.inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])));
      const folders = new Set(inputs.flatMap((file) => packageFolder(file) ?? []));
      const texts = [...folders].map((folder) => licenseOf(path.resolve(folder))).toSorted();
      const outdir = build.initialOptions.outdir ?? "dist";
      mkdirSync(outdir, { recursive: true });
      writeFileSync(path.join(outdir, "third-party-licenses.txt"), [...new Set(texts)].join(`\n${"-".repeat(80)}\n\n`));
    });
  },
};

/** `…/node_modules/yaml/dist/index.js` → `…/node_modules/yaml`; nothing for a file of our own. */
function packageFolder(file: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

function licenseOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as Readonly<Record<string, unknown>>;
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file !== undefined ? readFileSync(path.join(folder, file), "utf8") : `Licensed under ${String(license)}.\n`;
  return `${String(name)} ${String(version)}\n\n${text}`;
}
