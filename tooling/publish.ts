import { packPackages } from "./pack-packages.ts";
import { publishPackages } from "./publish-packages.ts";

/**
 * Publishes every package whose version the registry lacks. Versions come from changesets (`changeset version`), each package its own.
 *
 *   node tooling/publish.ts --dry-run       all but the upload
 *   node tooling/publish.ts --provenance    in a CI job that may ask for an identity (GitHub: permission `id-token: write`)
 */
const dryRun = process.argv.includes("--dry-run");
const provenance = process.argv.includes("--provenance");
if (!dryRun && !provenance && process.env["CI"] !== undefined) throw new Error("a release from CI has --provenance");
publishPackages(packPackages(), { dryRun, provenance, log: (line) => console.log(line) });
