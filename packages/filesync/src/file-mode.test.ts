import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { goFileMode, isDirectory, isRegular, isSymlink, MODE, posixMode, posixPermissions } from "./file-mode.ts";

describe("Go file modes", () => {
  test.each([
    ["a file", 0o100644, 0o644],
    ["a directory", 0o040755, 2147484141],
    ["a symbolic link", 0o120777, 134218239],
    ["a setuid program", 0o104755, (MODE.SETUID | 0o755) >>> 0],
    ["a setgid directory", 0o042775, (MODE.DIRECTORY | MODE.SETGID | 0o775) >>> 0],
    ["a sticky directory", 0o041777, (MODE.DIRECTORY | MODE.STICKY | 0o777) >>> 0],
    ["a character device", 0o020666, (MODE.DEVICE | MODE.CHARACTER_DEVICE | 0o666) >>> 0],
    ["a block device", 0o060660, (MODE.DEVICE | 0o660) >>> 0],
    ["a named pipe", 0o010644, (MODE.NAMED_PIPE | 0o644) >>> 0],
    ["a socket", 0o140755, (MODE.SOCKET | 0o755) >>> 0],
  ])("%s goes there and back", (_, posix, go) => {
    expect(goFileMode({ mode: posix })).toBe(go);
    expect(goFileMode({ mode: BigInt(posix) })).toBe(go);
    expect(posixMode(go)).toBe(posix);
  });

  test("an unknown type is irregular and has no content", () => {
    expect(isRegular(goFileMode({ mode: 0o170644 }))).toBe(false);
  });

  test("the predicates tell the types apart", () => {
    expect(
      [0o100644, 0o040755, 0o120777, 0o020666].map((mode) => goFileMode({ mode })).map((mode) => [isRegular(mode), isDirectory(mode), isSymlink(mode)]),
    ).toEqual([
      [true, false, false],
      [false, true, false],
      [false, false, true],
      [false, false, false],
    ]);
  });

  test("every permission survives", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0o7777 }), (bits) => {
        expect(posixPermissions(goFileMode({ mode: 0o100000 | bits }))).toBe(bits);
      }),
    );
  });
});
