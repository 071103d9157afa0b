import { expect, test } from "vitest";

import { fillSnippets } from "./fill-snippets.ts";

test("fills the blocks that name a file, and no other", () => {
  const page = "a\n\n<!-- file: one.ts -->\n\n```ts\nold\n```\n\n```ts\nkept\n```\n\n<!-- file: two.sh -->\n\n```sh\n```\n";
  const filled = "a\n\n<!-- file: one.ts -->\n\n```ts\nnew one.ts $&\n```\n\n```ts\nkept\n```\n\n<!-- file: two.sh -->\n\n```sh\nnew two.sh $&\n```\n";
  expect(fillSnippets(page, (file) => `new ${file} $&\n`)).toBe(filled);
});
