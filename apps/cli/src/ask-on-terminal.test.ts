import { PassThrough } from "node:stream";

import { describe, expect, test } from "vitest";

import { askOnTerminal } from "./ask-on-terminal.ts";

function person() {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const borrowed: string[] = [];
  const onBorrow = () => {
    borrowed.push("taken");
    return () => borrowed.push("given back");
  };
  const controller = new AbortController();
  const options = { signal: controller.signal };
  return { input, output, borrowed, controller, options, asks: askOnTerminal({ input, output, onBorrow }) };
}

const ALLOW = { title: "Allow LLM access?", prompt: "A module wants it.", default: false };

describe("yes or no", () => {
  test.each([
    ["y", false, true],
    ["Yes", false, true],
    ["n", true, false],
    ["what?", true, false],
    ["", false, false],
    ["", true, true],
  ])("%j, with the default %s, is %s", async (typed, byDefault, expected) => {
    const { input, asks, options, borrowed } = person();
    input.write(`${typed}\n`);
    expect(await asks.confirm({ ...ALLOW, default: byDefault }, options)).toBe(expected);
    expect(borrowed).toEqual(["taken", "given back"]);
  });

  test("the question and its default are shown", async () => {
    const { input, output, asks, options } = person();
    input.write("y\n");
    await asks.confirm(ALLOW, options);
    expect(String(output.read())).toContain("Allow LLM access?\nA module wants it. [y/N] ");
  });
});

test("words are taken as they are, and none are the default", async () => {
  const { input, asks, options } = person();
  input.write(" try 42 \n");
  expect(await asks.read({ title: "Help", prompt: "What now?", default: "nothing" }, options)).toBe("try 42");
  input.write("\n");
  expect(await asks.read({ title: "Help", prompt: "What now?", default: "nothing" }, options)).toBe("nothing");
});

test("a question that nobody answers ends with the call, and with the terminal; the terminal is given back", async () => {
  const aborted = person();
  const waiting = aborted.asks.confirm(ALLOW, aborted.options);
  aborted.controller.abort();
  await expect(waiting).rejects.toThrow();
  const gone = person();
  gone.input.end();
  await expect(gone.asks.read({ ...ALLOW, default: "" }, gone.options)).rejects.toThrow("nobody at the terminal");
  expect([aborted.borrowed, gone.borrowed]).toEqual([
    ["taken", "given back"],
    ["taken", "given back"],
  ]);
});
