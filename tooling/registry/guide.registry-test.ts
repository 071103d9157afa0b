import { copyFileSync, readFileSync } from "node:fs";
import path from "node:path";

import { createEngineDouble, freePort } from "@anyrunner/testkit";
import { expect, inject, test } from "vitest";

import { REPOSITORY } from "../workspace-packages.ts";
import { followGuide } from "./follow-guide.ts";
import { guideSteps } from "./guide-steps.ts";
import { openUserShell } from "./user-shell.ts";

const GUIDE = "docs/guide/write-a-driver.md";
/** The page's own port may be taken here. */
const PORT_OF_PAGE = "9000";
const PROTOCOL = "docs/reference/driver-protocol.md";

test("the guide for authors works as it stands there, from the published packages alone", { timeout: 400_000 }, async () => {
  await using shell = openUserShell(inject("registry"));
  const port = await freePort();
  const page = readFileSync(path.join(REPOSITORY, GUIDE), "utf8").replaceAll(`127.0.0.1:${PORT_OF_PAGE}`, `127.0.0.1:${port}`);
  await using engine = createEngineDouble();
  const serve = (line: string) => (process.env["ANYRUNNER_TEST_DOCKER"] === "skip" ? engine.listen({ port }) : shell.serve(line, `127.0.0.1:${port}`));
  const output = await followGuide(shell, guideSteps(page, "examples/driver-toy"), serve);
  // Once by its folder, once as the package that was published.
  expect(output.match(/^the engine is .*$/gm)).toEqual([expect.stringMatching(/^the engine is v\d/), expect.stringMatching(/^the engine is v\d/)]);
});

test("a program is tested as the page of the protocol says, from the published packages alone", { timeout: 400_000 }, async () => {
  await using shell = openUserShell(inject("registry"));
  const example = "examples/driver-shell";
  const program = "anyrunner-driver-socat";
  copyFileSync(path.join(REPOSITORY, example, program), path.join(shell.cwd(), program));
  const page = readFileSync(path.join(REPOSITORY, PROTOCOL), "utf8");
  const steps = guideSteps(page.slice(page.indexOf("## Test it")), example);
  expect(steps.map(({ kind }) => kind)).toEqual(["run", "write", "write", "write", "run"]);
  const output = await followGuide(shell, steps, () => Promise.reject(new Error("the page leaves nothing running")));
  expect(output).toMatch(/driver conformance: socat, a program in shell, stdio|all \d+ cases \(there is no socat here\)/);
});
