import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { formatFootprint, tarballSize, type FootprintRecord } from "./footprint.ts";
import { installEachAlone } from "./install-alone.ts";
import { packPackages } from "./pack-packages.ts";
import { publishPackages } from "./publish-packages.ts";
import { startRegistry } from "./registry/registry-server.ts";
import { REPOSITORY } from "./workspace-packages.ts";
import { writeOrCheck } from "./write-or-check.ts";

/** Measures what installations pull, and records it in docs/footprint.json and docs/footprint.md; with `--check` it only compares the page with its data. */
const DATA = path.join(REPOSITORY, "docs", "footprint.json");

const record = process.argv.includes("--check") && existsSync(DATA) ? (JSON.parse(readFileSync(DATA, "utf8")) as FootprintRecord) : await measure();
writeOrCheck("docs/footprint.md", formatFootprint(record));

async function measure(): Promise<FootprintRecord> {
  const folder = mkdtempSync(path.join(tmpdir(), "anyrunner-footprint-"));
  try {
    await using registry = await startRegistry(path.join(folder, "registry"));
    const env = { ...process.env, ...registry.env };
    const packed = packPackages(path.join(folder, "packs"));
    publishPackages(packed, { env });
    const found = { node: process.versions.node, installed: installEachAlone(packed, path.join(folder, "projects"), env), tarballs: packed.map(tarballSize) };
    writeFileSync(DATA, `${JSON.stringify(found, undefined, 2)}\n`);
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
