import path from "node:path";
import { parseArgs } from "node:util";

import { packPackages, readPacks } from "./pack-packages.ts";
import { publishPackages } from "./publish-packages.ts";
import { REPOSITORY } from "./workspace-packages.ts";

/**
 * Publishes every package whose version the registry lacks. Versions come from changesets (`changeset version`), each package its own.
 *
 *   node tooling/publish.ts --dry-run             all but the upload
 *   node tooling/publish.ts --provenance          in a CI job that may ask for an identity (GitHub: permission `id-token: write`)
 *   node tooling/publish.ts --provenance FOLDER   the tarballs that are there; nothing is packed, and nothing but Node is needed
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "dry-run": { type: "boolean", default: false }, provenance: { type: "boolean", default: false } },
});
const { "dry-run": dryRun, provenance } = values;
if (!dryRun && !provenance && process.env["CI"] !== undefined) throw new Error("a release from CI has --provenance");
const [folder] = positionals;
const packed = folder === undefined ? packPackages() : readPacks(path.resolve(process.env["INIT_CWD"] ?? REPOSITORY, folder));
publishPackages(packed, { dryRun, provenance, log: (line) => console.log(line) });
