import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";

import { brokenLinks } from "./broken-links.ts";
import { REPOSITORY } from "./workspace-packages.ts";

/** Fails for every link in a Markdown file that points to a file or heading that is not there. Other sites are not asked. */
for (const file of globSync(["*.md", "{docs,packages,apps,examples,bench}/**/*.md"], { cwd: REPOSITORY, exclude: ["**/node_modules/**"] })) {
  const read = (target: string) => {
    const absolute = path.join(REPOSITORY, target);
    return existsSync(absolute) ? (target.endsWith(".md") ? readFileSync(absolute, "utf8") : "") : undefined;
  };
  for (const link of brokenLinks(file, readFileSync(path.join(REPOSITORY, file), "utf8"), read)) {
    console.error(`${file}: broken link ${link}`);
    process.exitCode = 1;
  }
}
