import { readFileSync } from "node:fs";
import path from "node:path";

import { fillSnippets } from "./fill-snippets.ts";
import { REPOSITORY } from "./workspace-packages.ts";
import { writeOrCheck } from "./write-or-check.ts";

/** Puts the files that a page names into its code blocks, so that what readers copy is what tests run; with `--check` it only compares. */
for (const page of [
  "README.md",
  "docs/guide/getting-started.md",
  "docs/guide/connect.md",
  "docs/guide/write-a-driver.md",
  "docs/guide/kubernetes.md",
  "docs/guide/ci.md",
  "docs/reference/driver-protocol.md",
]) {
  const read = (file: string) => readFileSync(path.join(REPOSITORY, file), "utf8");
  writeOrCheck(page, fillSnippets(read(page), read));
}
