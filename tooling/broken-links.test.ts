import { expect, test } from "vitest";

import { brokenLinks } from "./broken-links.ts";

const FILES: Readonly<Record<string, string>> = { "docs/a.md": "# One\n\n## It's a `second` one\n", "docs/b.png": "" };
const read = (file: string) => FILES[file];

test.each([
  ["a file beside it", "[x](a.md)", []],
  ["a heading of another file", "[x](a.md#its-a-second-one)", []],
  ["a heading of its own", "## Here\n[x](#here)", []],
  ["a picture", "![x](b.png)", []],
  ["another site", "[x](https://example.org/none)", []],
  ["a link inside code", "`[x](none.md)`\n```\n[x](none.md)\n```\n", []],
  ["a missing file", "[x](none.md)", ["none.md"]],
  ["a missing heading", "[x](a.md#three)", ["a.md#three"]],
])("%s", (_name, text, broken) => {
  expect(brokenLinks("docs/text.md", text, read)).toEqual(broken);
});
