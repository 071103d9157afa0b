import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { DOCKER_FAULTS } from "./docker-faults.ts";
import type { FaultRow } from "./fault.ts";
import { FULL_DISK_FAULTS } from "./full-disk-faults.ts";
import { KUBERNETES_FAULTS } from "./kubernetes-faults.ts";
import { observeFault } from "./observe-fault.ts";
import { SOCKET_FAULTS } from "./socket-faults.ts";
import { SSH_FAULTS } from "./ssh-faults.ts";

/** With ANYRUNNER_WRITE_FAULTS the table is written instead of compared; docs/faults.md is made from it. */
const FILE = join(import.meta.dirname, "faults.json");
const writes = process.env["ANYRUNNER_WRITE_FAULTS"] !== undefined;
const known = JSON.parse(readFileSync(FILE, "utf8")) as readonly FaultRow[];
const seen: FaultRow[] = [];

const all = [...SOCKET_FAULTS, ...SSH_FAULTS, ...DOCKER_FAULTS, ...KUBERNETES_FAULTS, ...FULL_DISK_FAULTS];

describe("what users are told of a fault, and that nothing is left of it", () => {
  for (const fault of all) {
    const reason = fault.skipped === undefined ? "" : ` (skipped: ${fault.skipped})`;
    test.skipIf(fault.skipped !== undefined)(`${fault.scheme}://, ${fault.fault}${reason}`, async () => {
      const row = await observeFault(fault);
      seen.push(row);
      expect(row.hint).toMatch(/./);
      // How long it took is recorded, and another thing on every machine.
      if (!writes) expect({ ...row, seconds: undefined }).toEqual({ ...rowOf(known, row), seconds: undefined });
    });
  }

  test.skipIf(writes)("the table has these faults and no others", () => {
    expect(known.map(({ scheme, fault }) => `${scheme}, ${fault}`)).toEqual(all.map(({ scheme, fault }) => `${scheme}, ${fault}`));
  });
});

afterAll(() => {
  // What can't be brought about here stays as it was.
  const rows = all.flatMap((fault) => rowOf(seen, fault) ?? rowOf(known, fault) ?? []);
  if (writes) writeFileSync(FILE, `${JSON.stringify(rows, undefined, 2)}\n`);
});

function rowOf(rows: readonly FaultRow[], { fault, scheme }: Pick<FaultRow, "fault" | "scheme">): FaultRow | undefined {
  return rows.find((row) => row.fault === fault && row.scheme === scheme);
}
