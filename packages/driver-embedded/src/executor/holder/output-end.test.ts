import { describe, expect, test } from "vitest";

import { findOutputEnd } from "./output-end.ts";

const NONCE = Buffer.from("aabaabaacaabaabd");

describe("findOutputEnd", () => {
  test("finds the nonce wherever the stream is cut", () => {
    const whole = Buffer.concat([Buffer.from("output aab aabaabaacaabaab!"), NONCE, Buffer.from("rest")]);
    for (let first = 0; first <= whole.length; first++) {
      for (let second = first; second <= whole.length; second++) {
        const end = findOutputEnd(NONCE);
        const output = [whole.subarray(0, first), whole.subarray(first, second), whole.subarray(second)].flatMap((chunk) => end.push(chunk));
        expect(Buffer.concat(output).toString()).toBe("output aab aabaabaacaabaab!");
        expect(end.rest?.toString()).toBe("rest");
      }
    }
  });

  test("finds it byte by byte", () => {
    const end = findOutputEnd(NONCE);
    const bytes = Buffer.concat([Buffer.from("aabaabaac"), NONCE, Buffer.from("z")]);
    const output = [...bytes].flatMap((byte) => end.push(Buffer.of(byte)));
    expect(Buffer.concat(output).toString()).toBe("aabaabaac");
    expect(end.rest?.toString()).toBe("z");
  });

  test("passes on at once what can't be the nonce", () => {
    const end = findOutputEnd(NONCE);
    expect(end.push(Buffer.from("hello\n")).map(String)).toEqual(["hello\n"]);
    expect(end.rest).toBeUndefined();
  });
});
