import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GrpcStatus, Prompt } from "@anyrunner/protocol";
import { describe, expect, test } from "vitest";
import type { ClientPrompt } from "./prompt.ts";
import { makeDirectory, startAttachables } from "./test-attachables.ts";

const bool = await Prompt.promptBool.codec();
const string = await Prompt.promptString.codec();

async function confirm(prompt: ClientPrompt | undefined, question: Parameters<typeof bool.encodeRequest>[0], path: string = Prompt.promptBool.path) {
  const { messages, status, message } = await startAttachables({ prompt }).call(path, {}, [bool.encodeRequest(question)]);
  return status === 0 ? messages.map((bytes) => bool.decodeResponse(bytes).response)[0] : { status, message };
}

async function read(prompt: ClientPrompt, question: Parameters<typeof string.encodeRequest>[0], path: string = Prompt.promptString.path) {
  const { messages, status, message } = await startAttachables({ prompt }).call(path, {}, [string.encodeRequest(question)]);
  return status === 0 ? messages.map((bytes) => string.decodeResponse(bytes).response)[0] : { status, message };
}

test("who says nothing about questions doesn't offer to answer any", async () => {
  expect(await confirm(undefined, { prompt: "sure?" })).toMatchObject({ status: GrpcStatus.UNIMPLEMENTED });
});

describe("without a person", () => {
  test.each([Prompt.promptBool.path, "/Prompt/PromptBool"])("%s: the default is the answer, and not remembered", async (path) => {
    const folder = makeDirectory();
    const prompt = { answersFile: join(folder, "answers.json") };
    expect(await confirm(prompt, { prompt: "sure?", persistentKey: "k", default: true }, path)).toBe(true);
    expect(await confirm(prompt, { prompt: "sure?", persistentKey: "k" }, path)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([Prompt.promptString.path, "/Prompt/PromptString"])("%s: so with texts", async (path) => {
    expect(await read({}, { prompt: "name?", default: "nobody" }, path)).toBe("nobody");
  });

  test("what was once answered yes for good is yes", async () => {
    const answersFile = join(makeDirectory({ "answers.json": '{"responses":{"k":{}}}' }), "answers.json");
    expect(await confirm({ answersFile }, { prompt: "sure?", persistentKey: "k" })).toBe(true);
    expect(await confirm({ answersFile }, { prompt: "sure?", persistentKey: "toString" })).toBe(false);
    expect(await confirm({ answersFile }, { prompt: "sure?" })).toBe(false);
  });
});

describe("with a person", () => {
  test("a yes is remembered under its key, beside what is there; a no is not", async () => {
    const folder = makeDirectory({ "a/answers.json": '{"responses":{"old":{}},"other":1}' });
    const answersFile = join(folder, "a/answers.json");
    const asked: string[] = [];
    const person = (answer: boolean): ClientPrompt => ({
      answersFile,
      confirm: async ({ title, prompt, default: usual }) => {
        asked.push(`${title}/${prompt}/${usual}`);
        return answer;
      },
    });
    expect(await confirm(person(false), { title: "T", prompt: "sure?", persistentKey: "k", default: true })).toBe(false);
    expect(await confirm(person(true), { prompt: "sure?", persistentKey: "k" })).toBe(true);
    expect(await confirm(person(false), { prompt: "sure?", persistentKey: "k" })).toBe(true);
    expect(asked).toEqual(["T/sure?/true", "/sure?/false"]);
    expect(JSON.parse(readFileSync(answersFile, "utf8"))).toEqual({ responses: { old: {}, k: {} }, other: 1 });
    expect(readdirSync(join(folder, "a"))).toEqual(["answers.json"]);
  });

  test("the first yes makes the file", async () => {
    const answersFile = join(makeDirectory(), "new/answers.json");
    expect(await confirm({ answersFile, confirm: async () => true }, { prompt: "sure?", persistentKey: "k" })).toBe(true);
    expect(readFileSync(answersFile, "utf8")).toBe('{"responses":{"k":{}}}');
  });

  test("texts", async () => {
    expect(await read({ read: async ({ prompt }) => `re ${prompt}` }, { prompt: "name?" })).toBe("re name?");
  });
});

test("no question is an invalid argument; a broken file is named", async () => {
  expect(await confirm({}, { default: true })).toMatchObject({ status: GrpcStatus.INVALID_ARGUMENT });
  expect(await read({}, {})).toMatchObject({ status: GrpcStatus.INVALID_ARGUMENT });
  const answersFile = join(makeDirectory({ "answers.json": "{" }), "answers.json");
  expect(await confirm({ answersFile }, { prompt: "sure?", persistentKey: "k" })).toMatchObject({
    status: GrpcStatus.INTERNAL,
    message: expect.stringContaining(answersFile),
  });
});
