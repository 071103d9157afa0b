import { expect, test } from "vitest";

import { oldestOfRange, releasedVersion } from "./version-clue.ts";

test.each([
  ["0.21.8", "v0.21.8"],
  ["v0.21.8", "v0.21.8"],
  ["1.0.0-beta.10", "v1.0.0-beta.10"],
  ["1.0.0b10", "v1.0.0-beta.10"],
  ["1.0.0rc1", "v1.0.0-rc.1"],
  ["v0.21.8+incompatible", "v0.21.8"],
  ["v0.21.9-0.20260101120000-0123456789ab", undefined],
  ["v0.0.0-20260101120000-0123456789ab", undefined],
  ["workspace:*", undefined],
  ["latest", undefined],
  ["0.0.0", undefined],
  ["", undefined],
])("%s is released as %s", (text, version) => {
  expect(releasedVersion(text)).toBe(version);
});

test.each([
  ["0.21.8", "v0.21.8", true],
  ["==0.21.8", "v0.21.8", true],
  ["= 0.21.8", "v0.21.8", true],
  ["^0.21.8", "v0.21.8", false],
  ["~=0.21.8", "v0.21.8", false],
  [">=0.18,<0.20", "v0.18.0", false],
  [">=0.18.2 <0.20", "v0.18.2", false],
  ["0.21.x", undefined, false],
  ["0.21", "v0.21.0", false],
  ["<0.20", undefined, false],
  ["*", undefined, false],
  ["workspace:^0.21.8", undefined, false],
])("%s allows at least %s", (requirement, version, exact) => {
  expect(oldestOfRange(requirement)).toEqual(version === undefined ? undefined : { version, exact });
});
