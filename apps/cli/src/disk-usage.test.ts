import { expect, test } from "vitest";

import { podmanVolumeBytes } from "./disk-usage.ts";

/** Podman 4.3. */
const TABLE = `Images space usage:

REPOSITORY  TAG  IMAGE ID  CREATED  SIZE  SHARED SIZE  UNIQUE SIZE  CONTAINERS
one         1    123       1 day    3MB   0B           3MB          0

Local Volumes space usage:

VOLUME NAME              LINKS       SIZE
one                      1           1.5GB
two                      0           512B
three                    1           20.48kB
`;

test.each([
  ["one", 1_500_000_000],
  ["two", 512],
  ["three", 20_480],
  ["four", undefined],
])("the size of the volume %s, as podman prints it", (name, bytes) => {
  expect(podmanVolumeBytes(TABLE, name)).toBe(bytes);
});
