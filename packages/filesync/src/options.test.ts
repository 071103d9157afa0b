import { describe, expect, test } from "vitest";
import { encodeExportOptions, parseExportOptions } from "./export-options.ts";
import type { CallMetadata } from "./header-values.ts";
import { encodeImportOptions, parseImportOptions } from "./import-options.ts";

function metadata(entries: Readonly<Record<string, string | readonly string[]>>): CallMetadata {
  const values = (name: string) => [entries[name] ?? []].flat();
  return { get: (name) => values(name)[0], getAll: values };
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");

describe("import options", () => {
  test("the vector of the protocol", () => {
    const options = parseImportOptions(metadata({ "x-dagger-local-import-opts": "eyJwYXRoIjoiLiIsImdldF9hYnNfcGF0aF9vbmx5Ijp0cnVlfQ==" }));
    expect(options).toMatchObject({ path: ".", getAbsPathOnly: true, statPathOnly: false, includePatterns: [], searchOptions: undefined });
  });

  test("null is an empty list", () => {
    expect(parseImportOptions(metadata({ "x-dagger-local-import-opts": json({ path: "a", include_patterns: null, follow_paths: ["x"] }) }))).toMatchObject({
      includePatterns: [],
      followPaths: ["x"],
    });
  });

  test("what is written is read again, from the header and, without it, from the plain keys", () => {
    const options = { path: "/tmp/é b", includePatterns: ["a+b", "ü"], excludePatterns: ["x y"], followPaths: ["l"], useGitignore: true };
    const written = encodeImportOptions(options);
    expect(parseImportOptions(metadata(written))).toMatchObject(options);
    expect(written["include-patterns"]).toEqual(["a%2Bb", "%C3%BC"]);
    expect(written["exclude-patterns"]).toEqual(["x y"]);
    const { "x-dagger-local-import-opts": _, ...plain } = written;
    expect(parseImportOptions(metadata(plain))).toMatchObject(options);
  });

  test.each([
    ["no base64 JSON", { "x-dagger-local-import-opts": "%%%" }],
    ["a list", { "x-dagger-local-import-opts": json([]) }],
    ["a wrong type", { "x-dagger-local-import-opts": json({ path: 3 }) }],
    ["a list of other things", { "x-dagger-local-import-opts": json({ include_patterns: [1] }) }],
    ["no path at all", {}],
    ["two paths", { "dir-name": ["a", "b"] }],
  ])("%s is refused as invalid", (_, entries) => {
    expect(() => parseImportOptions(metadata(entries))).toThrow(expect.objectContaining({ reason: "invalid" }));
  });
});

describe("export options", () => {
  test("what is written is read again", () => {
    const options = { path: "/out", isFileStream: true, fileOriginalName: "f", allowParentDirPath: true, fileMode: 0o644, merge: true, removePaths: ["a/"] };
    expect(parseExportOptions(metadata(encodeExportOptions(options)))).toEqual(options);
  });

  test("merge has a capital on the wire", () => {
    expect(parseExportOptions(metadata({ "x-dagger-local-export-opts": json({ path: "a", Merge: true }) })).merge).toBe(true);
  });

  test("without the header they are refused as invalid", () => {
    expect(() => parseExportOptions(metadata({}))).toThrow(expect.objectContaining({ reason: "invalid" }));
  });
});
