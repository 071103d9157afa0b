import { expect, test } from "vitest";

import { readContainerFile, writeContainerFile } from "./container-file.ts";
import { runTestContainer, skipReason } from "./test-container.ts";

test.skipIf(skipReason !== undefined)("a file is written into a container that does not run yet, and read back", async () => {
  await using container = await runTestContainer({ start: false });
  const { client, id } = container;
  expect(await readContainerFile(client, id, "/tmp/engine.json", {})).toBeUndefined();
  for (const text of ['{"gc":{}}\n', "x".repeat(1024), ""]) {
    await writeContainerFile(client, id, { folder: "/", name: "engine.json", text }, {});
    expect(await readContainerFile(client, id, "/engine.json", {})).toBe(text);
  }
  await expect(writeContainerFile(client, id, { folder: "/no/such", name: "x", text: "" }, {})).rejects.toMatchObject({ code: "NOT_FOUND" });
});
