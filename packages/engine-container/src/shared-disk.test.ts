import { expect, test } from "vitest";

import { shareDisk } from "./shared-disk.ts";

test("engines on one disk claim together what one does by default, and the image's own settings stay", () => {
  const registries = { "docker.io": { mirrors: ["mirror.gcr.io"] } };
  expect(shareDisk({ registries }, 2)).toEqual({ registries, gc: { maxUsedSpace: "37%", minFreeSpace: "20%", reservedSpace: 5_000_000_000 } });
  expect(shareDisk({}, 100)).toMatchObject({ gc: { maxUsedSpace: "1%" } });
});

test("a single engine keeps its defaults, and limits that somebody wrote stay", () => {
  expect(shareDisk({}, 1)).toBeUndefined();
  expect(shareDisk({ gc: { enabled: false } }, 3)).toBeUndefined();
});
