import { describe, expect, test } from "vitest";

import { chooseApiVersion, compareApiVersions, NEWEST_API_VERSION } from "./api-version.ts";

const [major, minor] = NEWEST_API_VERSION.split(".").map(Number) as [number, number];
const newer = (by: number) => `${major}.${minor + by}`;

describe("API version", () => {
  test.each([
    ["the oldest", "1.24", undefined, "1.24"],
    ["an older daemon gives its own", "1.41", "1.12", "1.41"],
    ["the same", NEWEST_API_VERSION, "1.24", NEWEST_API_VERSION],
    ["a newer daemon gets ours", newer(5), "1.44", NEWEST_API_VERSION],
    ["a newer daemon without minimum gets ours", newer(5), undefined, NEWEST_API_VERSION],
    ["a daemon whose minimum is ours gets ours", newer(5), NEWEST_API_VERSION, NEWEST_API_VERSION],
    ["a daemon whose minimum is above ours gets its minimum", newer(9), newer(3), newer(3)],
    ["numbers, not text", "1.100", "1.99", "1.99"],
  ])("%s", (_name, newest, oldest, chosen) => {
    expect(chooseApiVersion({ newest, oldest })).toBe(chosen);
  });

  test("a daemon that is too old is VERSION_MISMATCH", () => {
    expect(() => chooseApiVersion({ newest: "1.23" })).toThrow(expect.objectContaining({ code: "VERSION_MISMATCH" }));
  });

  test.each(["", "1", "latest", "1.2.3"])('"%s" is WRONG_SERVER', (text) => {
    expect(() => compareApiVersions(text, "1.24")).toThrow(expect.objectContaining({ code: "WRONG_SERVER" }));
  });
});
