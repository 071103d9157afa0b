import type { DockerClient } from "@anyrunner/docker-endpoint";
import { expect, test } from "vitest";

import { listSnapshots } from "./snapshot-images.ts";

const DAY = 24 * 60 * 60;
const OURS = { "anyrunner.owner": "embedded" };

interface Image {
  readonly id: string;
  readonly parent?: string;
  readonly name?: string;
  readonly size?: number;
  readonly maker?: string;
  readonly created?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** What is listed of these images, by id; the process "dead" has ended. */
async function list(images: readonly Image[], containers: readonly string[] = []) {
  const listed = images.map(({ id, parent = "", name, size = 10, maker, created = 0, labels = OURS }) => ({
    Id: id,
    ParentId: parent,
    RepoTags: [name ?? "<none>:<none>"],
    Labels: maker === undefined ? labels : { ...labels, "anyrunner.process": maker },
    Size: size,
    Created: created,
  }));
  const json = async ({ path }: { readonly path: string }) => (path === "/images/json" ? listed : containers.map((ImageID) => ({ ImageID })));
  const processes = { own: async () => "own", isDead: async (label: string) => label === "dead" };
  return listSnapshots({ json } as unknown as DockerClient, { processes, now: 2 * DAY * 1000 });
}

test("each counts what it adds to what it was made from, whoever made that", async () => {
  const found = await list([
    { id: "base", size: 100, labels: {} },
    { id: "one", parent: "base", size: 130, name: "anyrunner-embedded:1" },
    { id: "two", parent: "one", size: 135, name: "anyrunner-embedded:2" },
    { id: "import", size: 7, name: "anyrunner-embedded:3" },
  ]);
  expect(Object.fromEntries(found.map(({ id, bytes }) => [id, bytes]))).toEqual({ one: 30, two: 5, import: 7 });
  expect(found.some(({ isUnused }) => isUnused)).toBe(false);
});

test("unused is what has no name, no live maker, no container, and no child that is used; children come first", async () => {
  const found = await list(
    [
      { id: "parent", maker: "dead" },
      { id: "child", parent: "parent", maker: "dead" },
      { id: "needed", maker: "dead" },
      { id: "named", parent: "needed", name: "anyrunner-embedded:1" },
      { id: "live", maker: "alive" },
      { id: "run", maker: "dead" },
      { id: "new", created: 1.5 * DAY },
      { id: "old", created: DAY / 2 },
      { id: "foreign", labels: {} },
    ],
    ["run"],
  );
  expect(found.filter(({ isUnused }) => isUnused).map(({ id }) => id)).toEqual(["child", "parent", "old"]);
  expect(found.map(({ id }) => id)).not.toContain("foreign");
});
