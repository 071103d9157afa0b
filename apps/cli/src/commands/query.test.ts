import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { createEngineDouble, type DoubleQuery, type EngineDouble } from "@anyrunner/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

import { createCliHarness, streamsClosed, type CliHarness } from "../test-cli.ts";

let cli: CliHarness;
let double: EngineDouble;
let runner: string;
let asked: Pick<DoubleQuery, "query" | "variables" | "operationName">[];
beforeAll(async () => {
  cli = await createCliHarness();
});
afterAll(() => cli.remove());
beforeEach(async () => {
  asked = [];
  double = createEngineDouble({
    answer: ({ query, variables, operationName }) => {
      asked.push({ query, variables, operationName });
      return query.includes("broken") ? { errors: [{ message: "first" }, { message: "second", path: ["a", 0] }] } : { data: { a: { b: [1, "x"] } } };
    },
  });
  runner = await double.listen();
});
afterEach(async () => {
  await streamsClosed(double);
  await double.kill();
});

const DATA = '{\n    "a": {\n        "b": [\n            1,\n            "x"\n        ]\n    }\n}\n';

test("standard input is the query, the data is printed with four spaces", async () => {
  const result = await cli.run(["query", "--runner", runner], { input: "{ a { b } }" });
  expect(result).toEqual({ exitCode: 0, stdout: DATA, stderr: `runner ${runner} · engine v0.21.8 · from flag --runner\n` });
  expect(asked).toEqual([{ query: "{ a { b } }", variables: {}, operationName: undefined }]);
  expect([...double.arrivals].filter(({ at }) => at === "query" || at === "shutdown").map(({ at }) => at)).toEqual(["query", "shutdown"]);
});

test("a document, an operation and variables", async () => {
  await writeFile(join(cli.home, "q.graphql"), "query One($a: String, $b: String) { a }");
  const result = await cli.run(["query", "--runner", runner, "--doc", "q.graphql", "--var", "a=x=y", "--var", "b=", "One"]);
  expect(result.exitCode).toBe(0);
  expect(asked).toMatchObject([{ variables: { a: "x=y", b: "" }, operationName: "One" }]);
});

test("--var-json replaces --var", async () => {
  await cli.run(["query", "--runner", runner, "--var", "a=1", "--var-json", '{"n":[1,null]}'], { input: "{a}" });
  expect(asked).toMatchObject([{ variables: { n: [1, null] } }]);
});

test("errors of the pipeline: their messages, exit code 1, nothing on standard output", async () => {
  const result = await cli.run(["query", "--runner", runner, "--silent"], { input: "{ broken }" });
  expect(result).toMatchObject({ exitCode: 1, stdout: "" });
  expect(result.stderr).toMatch(/^error: first\nsecond\n/);
});

test("the same as JSON", async () => {
  const result = await cli.run(["query", "--runner", runner, "--silent", "--json"], { input: "{ broken }" });
  expect(JSON.parse(result.stderr)).toMatchObject({
    error: { code: "QUERY_FAILED", details: { errors: [{ message: "first" }, { message: "second", path: ["a", 0] }] } },
  });
});

test.each([
  ["an empty query", [], " \n", "is empty"],
  ["a variable without a value", ["--var", "a"], "{a}", "name=value"],
  ["variables that are no object", ["--var-json", "[1]"], "{a}", "no JSON object"],
  ["a misspelt flag", ["--vars", "a=b"], "{a}", 'did you mean "--var"?'],
])("%s is wrong usage, and no engine is asked", async (_, flags, input, message) => {
  const result = await cli.run(["query", "--runner", runner, ...flags], { input });
  expect(result).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(message) });
  expect(double.count("stream")).toBe(0);
});

test("a document that is missing is named", async () => {
  expect(await cli.run(["query", "--runner", runner, "--doc", "absent.graphql"])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("absent.graphql"),
  });
});

test("an interrupt cancels the query, closes the session and ends with 130", async () => {
  double.setFaults([{ at: "query", action: "hang" }]);
  const running = await cli.start(["query", "--runner", runner]);
  running.stdin.end("{ a }");
  await vi.waitFor(() => expect(double.count("query")).toBe(1), { timeout: 60_000 });
  running.kill("SIGINT");
  expect(await running.ended).toMatchObject({ exitCode: 130, stdout: "" });
  expect(double.count("shutdown")).toBe(1);
});

test.each([
  ["dies during the query", { at: "query", action: "die" }],
  ["closes the connection during the query", { at: "query", action: "cut" }],
  ["dies in the middle of the answer", { at: "answer", action: "die" }],
] as const)("an engine that %s gives one error after one attempt", async (_, fault) => {
  double.setFaults([fault]);
  const result = await cli.run(["query", "--runner", runner], { input: "{ a }" });
  expect(result).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining("#connection_lost") });
  expect(double.count("query")).toBe(1);
});

test("inside a session the query goes through it", async () => {
  const session = await cli.start(["session", "--runner", runner]);
  await session.waitFor("}\n");
  const { port, session_token: token } = JSON.parse(session.stdout()) as { port: number; session_token: string };
  const inside = { DAGGER_SESSION_PORT: String(port), DAGGER_SESSION_TOKEN: token };
  expect(await cli.run(["query"], { input: "{ a { b } }", env: inside })).toEqual({ exitCode: 0, stdout: DATA, stderr: "" });
  const refused = await cli.run(["query"], { input: "{ a }", env: { ...inside, DAGGER_SESSION_TOKEN: "wrong" } });
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("#auth_failed") });
  expect(double.count("upgrade")).toBe(1);
  session.stdin.end();
  await session.ended;
  const gone = await cli.run(["query"], { input: "{ a }", env: inside });
  expect(gone).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("#connection_refused") });
});
