import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { createEngineDouble } from "@anyrunner/testkit";
import { expect, inject, test } from "vitest";

import { freePort } from "../free-port.ts";
import { REPOSITORY } from "../workspace-packages.ts";
import { guideSteps } from "./guide-steps.ts";
import { openUserShell } from "./user-shell.ts";

const GUIDE = "docs/guide/write-a-driver.md";
/** The page's own port may be taken here. */
const PORT_OF_PAGE = "9000";

test("the guide for authors works as it stands there, from the published packages alone", { timeout: 400_000 }, async () => {
  await using shell = openUserShell(inject("registry"));
  const port = await freePort();
  const page = readFileSync(path.join(REPOSITORY, GUIDE), "utf8").replaceAll(`127.0.0.1:${PORT_OF_PAGE}`, `127.0.0.1:${port}`);
  await using engine = createEngineDouble();
  const answers: string[] = [];
  for (const step of guideSteps(page, "examples/driver-toy")) {
    if (step.kind === "write") {
      const file = path.join(shell.cwd(), step.file);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, step.text);
    } else if (step.kind === "serve") {
      if (process.env["ANYRUNNER_TEST_DOCKER"] === "skip") await engine.listen({ port });
      else await shell.serve(step.text, `127.0.0.1:${port}`);
    } else {
      const { exitCode, output } = await shell.run(step.text);
      answers.push(...(output.match(/^the engine is .*$/gm) ?? []));
      if (step.fails === undefined) expect(exitCode, `${step.text}\n${output}`).toBe(0);
      else expect({ failed: exitCode !== 0, output }).toEqual({ failed: true, output: expect.stringContaining(step.fails) });
    }
  }
  // Once by its folder, once as the package that was published.
  expect(answers).toEqual([expect.stringMatching(/^the engine is v\d/), expect.stringMatching(/^the engine is v\d/)]);
});
