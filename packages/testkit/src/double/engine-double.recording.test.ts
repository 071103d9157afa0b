import { describe, expect, test } from "vitest";

import { grpcMessages, headerOf, readConversation, type Exchange } from "../replay/exchange.ts";
import { playRecordedClient } from "../replay/recorded-client.ts";
import { readRecording, type Recording, type RecordedScenario } from "../replay/recording.ts";
import { createEngineDouble, type EngineDouble } from "./engine-double.ts";
import { readHostDirectory } from "./host-directory.ts";
import type { AnswerQuery } from "./query-answer.ts";

const INFO = { revision: "c6f0a5472217" };

/** What a client can tell from an answer; dates and the tracing of a moment aside. */
function answersOf(recording: Recording) {
  return readConversation(recording).exchanges.map(({ response }) => ({
    status: headerOf(response.headers, ":status"),
    type: headerOf(response.headers, "content-type"),
    length: headerOf(response.headers, "content-length"),
    body: response.body.toString("latin1"),
    ended: response.ended,
  }));
}

/** What the engine asked the client. */
function callsOf({ request }: Exchange) {
  const kept = request.headers.filter(([name]) => !/^(:|user-agent|grpc-|te$|content-type)/.test(name));
  return {
    path: headerOf(request.headers, ":path"),
    metadata: kept
      .map(([name, value]) => `${name}: ${name.endsWith("-opts") ? Buffer.from(value, "base64").toString() : value}`)
      .toSorted((a, b) => (a < b ? -1 : 1)),
    messages: grpcMessages(request.body).map((message) => message.toString("latin1")),
  };
}

/** Plays the attachables and the queries of one recorded client to the double, side by side. */
async function playSession(double: EngineDouble, scenario: RecordedScenario) {
  const attaching = await readRecording(scenario, 2);
  const asking = await readRecording(scenario, 4);
  const dialled = double.dial();
  const attached = playRecordedClient(attaching, dialled);
  const answers = await playRecordedClient(asking, double.dial());
  dialled.destroy();
  return { recorded: { attaching, asking }, played: { attaching: await attached, asking: answers } };
}

/** Answers from the recording itself, after the calls that the engine made for them. */
async function scriptOf(scenario: RecordedScenario): Promise<AnswerQuery> {
  const answers = new Map(
    readConversation(await readRecording(scenario, 4)).exchanges.map(({ request, response }) => [request.body.toString(), response.body.toString()]),
  );
  return async ({ query, client }) => {
    const directory = /directory \(path: "([^"]+)"/.exec(query)?.[1];
    if (directory !== undefined) {
      const gitignore = query.includes("gitignore: true");
      const list = (name: string) => JSON.parse(new RegExp(`${name}: (\\[[^\\]]*\\])`).exec(query)?.[1] ?? "[]") as string[];
      await readHostDirectory(client, directory, { include: list("include"), exclude: list("exclude"), gitignore, wants: () => false });
    }
    return JSON.parse(answers.get(JSON.stringify({ query })) ?? "") as { data: unknown };
  };
}

describe("the engine double, asked by the recorded client", () => {
  test("answers the version probe as the engine did", async () => {
    await using double = createEngineDouble({ info: INFO });
    const recording = await readRecording("version", 1);
    const played = await playRecordedClient(recording, double.dial());
    expect(answersOf(played)).toEqual(answersOf(recording));
    expect(readConversation(played).exchanges.map(({ response }) => headerOf(response.trailers, "grpc-status"))).toEqual(["0", "0"]);
  });

  test("refuses a client that is too old with the engine's words", async () => {
    await using double = createEngineDouble();
    const recording = await readRecording("clientTooOld", 2);
    const withoutDate = (played: Recording) => readConversation(played).upgrade?.response.replace(/^Date: .*\r\n/m, "");
    expect(withoutDate(await playRecordedClient(recording, double.dial()))).toBe(withoutDate(recording));
  });

  test("switches protocols with the engine's very bytes", async () => {
    await using double = createEngineDouble();
    const { recorded, played } = await playSession(double, "version");
    expect(readConversation(played.attaching).upgrade).toEqual(readConversation(recorded.attaching).upgrade);
  });

  test.each(["version", "exec", "execFail", "upload", "uploadFilter", "uploadGitignore"] as const)(
    "asks in session %s what the engine asked, and answers as it answered",
    async (scenario) => {
      await using double = createEngineDouble({ info: INFO, answer: await scriptOf(scenario) });
      const { recorded, played } = await playSession(double, scenario);
      expect(answersOf(played.asking)).toEqual(answersOf(recorded.asking));
      const calls = (recording: Recording) => readConversation(recording).exchanges.map(callsOf);
      expect(calls(played.attaching)).toEqual(calls(recorded.attaching));
    },
  );

  test("streams telemetry with the engine's heads, first event and end", async () => {
    await using double = createEngineDouble({ info: INFO, answer: await scriptOf("exec") });
    const recording = await readRecording("exec", 3);
    const session = await readRecording("exec", 2);
    const attached = double.dial();
    void playRecordedClient(session, attached);
    const subscribed = playRecordedClient(recording, double.dial());
    const [asked] = await Promise.all([playRecordedClient(await readRecording("exec", 4), double.dial()), subscribed]);
    expect(answersOf(asked).at(-1)).toMatchObject({ status: "200", length: "0" });
    const heads = (played: Recording) => answersOf(played).map(({ body, ...head }) => ({ ...head, first: body.slice(0, 29) }));
    expect(heads(await subscribed)).toEqual(heads(recording));
  });
});
