import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, inject, test } from "vitest";

import { footprintChanges, tarballSize, type FootprintRecord } from "../footprint.ts";
import { installEachAlone } from "../install-alone.ts";
import { REPOSITORY } from "../workspace-packages.ts";

test("installations pull what docs/footprint.md says; if this is meant: pnpm record:footprint", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "anyrunner-alone-"));
  try {
    const recorded = JSON.parse(readFileSync(path.join(REPOSITORY, "docs/footprint.json"), "utf8")) as FootprintRecord;
    const packed = inject("packed");
    const installed = installEachAlone(packed, folder, { ...process.env, ...inject("registry") });
    expect(footprintChanges(recorded, { installed, tarballs: packed.map(tarballSize) })).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
