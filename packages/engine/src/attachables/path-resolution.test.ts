import { describe, expect, test } from "vitest";
import { resolveClientPath } from "./path-resolution.ts";

describe("paths of the engine", () => {
  test.each([
    [".", "/work/dir"],
    ["", "/work/dir"],
    ["a/../b/", "/work/dir/b"],
    ["../x", "/work/x"],
    ["../../../x", "/x"],
    ["/abs//x/./y/", "/abs/x/y"],
    ["/", "/"],
    ["~", "/home/me"],
    ["~/", "/home/me"],
    ["~/a/b", "/home/me/a/b"],
    ["~/../x", "/work/dir/x"],
    ["~user/a", "/work/dir/~user/a"],
    ["./~", "/home/me"],
    ["a/~", "/work/dir/a/~"],
    ["a\\b", "/work/dir/a\\b"],
  ])("%j is %s", (path, absolute) => {
    expect(resolveClientPath(path, { cwd: "/work/dir", home: "/home/me" })).toBe(absolute);
  });

  test("without a home a tilde is a name", () => {
    expect(resolveClientPath("~/a", { cwd: "/w", home: "" })).toBe("/w/~/a");
  });
});
