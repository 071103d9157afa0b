import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createWorkflow } from "./workflow-commands.ts";

let folder: string;
let lines: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "anyrunner-workflow-"));
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const workflow = () => createWorkflow({ env: { GITHUB_ENV: join(folder, "env"), GITHUB_PATH: join(folder, "path") }, write: (line) => lines.push(line) });
const file = (name: string) => readFileSync(join(folder, name), "utf8");

describe("files", () => {
  test("a value of several lines ends where it can't end by itself", () => {
    workflow().exportVariable("A", "one\nEOF\nB<<EOF");
    workflow().exportVariable("C", "");
    const [, end = ""] = /^A<<(anyrunner-\S+)\n/.exec(file("env")) ?? [];
    expect(file("env")).toMatch(new RegExp(`^A<<${end}\none\nEOF\nB<<EOF\n${end}\nC<<(anyrunner-\\S+)\n\n\\1\n$`));
    workflow().addToPath("/a b");
    expect(file("path")).toBe("/a b\n");
  });

  test("without the variables of GitHub's runner it says what it is for", () => {
    expect(() => workflow().setOutput("a", "b")).toThrow(expect.objectContaining({ code: "NOT_AVAILABLE", message: "the variable GITHUB_OUTPUT is not set" }));
  });
});

describe("commands", () => {
  test("annotations keep their lines and properties apart", () => {
    workflow().annotate("error", "A, B: C", "50 %\nhint: x::y");
    expect(lines).toEqual(["::error title=A%2C B%3A C::50 %25%0Ahint: x::y"]);
  });

  test("every line of a secret is masked", () => {
    workflow().mask("one\r\n\ntwo");
    expect(lines).toEqual(["::add-mask::one", "::add-mask::two"]);
  });

  test("what others print commands nothing", () => {
    workflow().print("plain :: text");
    workflow().print("  ::add-path::/evil");
    const [, token = ""] = /^::stop-commands::(\S+)$/.exec(lines[1] ?? "") ?? [];
    expect(token.length).toBeGreaterThan(20);
    expect(lines).toEqual(["plain :: text", `::stop-commands::${token}`, "  ::add-path::/evil", `::${token}::`]);
  });

  test("a group ends, whatever happens in it", async () => {
    await expect(workflow().group("Work", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(lines).toEqual(["::group::Work", "::endgroup::"]);
  });
});
