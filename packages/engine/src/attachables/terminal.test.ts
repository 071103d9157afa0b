import { PassThrough } from "node:stream";
import { GrpcStatus, Terminal, type GrpcStream } from "@anyrunner/protocol";
import { describe, expect, test } from "vitest";
import type { ClientTerminal } from "./terminal.ts";
import { startAttachables } from "./test-attachables.ts";

const codec = await Terminal.session.codec();

/** A terminal made of streams. */
function makeTerminal() {
  const raw: boolean[] = [];
  const borrowed: string[] = [];
  const input = Object.assign(new PassThrough(), { isTTY: true, isRaw: false, setRawMode: (mode: boolean) => raw.push(mode) });
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 120, rows: 40 });
  const error = new PassThrough();
  const terminal: ClientTerminal = {
    input,
    output,
    error,
    onBorrow: () => {
      borrowed.push("taken");
      return () => borrowed.push("given back");
    },
  };
  return { terminal, input, output, error, raw, borrowed };
}

/** The engine's end of a session. */
function openSession(terminal: ClientTerminal | undefined, path: string = Terminal.session.path) {
  const engine = startAttachables({ terminal });
  const stream: GrpcStream = engine.open(path);
  const messages = stream.messages[Symbol.asyncIterator]();
  const receive = async () => {
    const { done, value } = await messages.next();
    if (done === true) return "the end";
    const { msg } = codec.decodeResponse(value);
    if (msg.case === "stdin") return `stdin ${Buffer.from(msg.value).toString()}`;
    return msg.case === "resize" ? `resize ${msg.value.width}x${msg.value.height}` : msg.case;
  };
  const send = (msg: Parameters<typeof codec.encodeRequest>[0]["msg"]) => stream.send(codec.encodeRequest({ msg: msg as never }));
  return { engine, stream, receive, send };
}

describe("a terminal session", () => {
  test("says that it is ready and how large the terminal is; keys, sizes and output go their ways; everything is put back at the exit", async () => {
    const { terminal, input, output, error, raw, borrowed } = makeTerminal();
    const { receive, send } = openSession(terminal);
    expect([await receive(), await receive()]).toEqual(["ready", "resize 120x40"]);
    expect([raw, borrowed]).toEqual([[true], ["taken"]]);
    input.write("ls\r");
    expect(await receive()).toBe("stdin ls\r");
    Object.assign(output, { columns: 80, rows: 25 }).emit("resize");
    expect(await receive()).toBe("resize 80x25");
    await send({ case: "stdout", value: Buffer.from("file\r\n") });
    await send({ case: "stderr", value: Buffer.from("oh\r\n") });
    await send({ case: "exit", value: 3 });
    expect(await receive()).toBe("the end");
    expect([String(output.read()), String(error.read())]).toEqual(["file\r\n", "oh\r\nexit 3\n"]);
    expect([raw, borrowed]).toEqual([
      [true, false],
      ["taken", "given back"],
    ]);
    expect([input.isPaused(), input.listenerCount("data"), output.listenerCount("resize")]).toEqual([true, 0, 0]);
  });

  test("engines of the old name get the size first", async () => {
    const { receive } = openSession(makeTerminal().terminal, "/Terminal/Session");
    expect(await receive()).toBe("resize 120x40");
  });

  test.each(["half-close", "cancel"])("%s puts the terminal back, too", async (end) => {
    const { terminal, raw, borrowed } = makeTerminal();
    const { engine, stream, receive } = openSession(terminal);
    await receive();
    if (end === "cancel") stream.cancel();
    else stream.end();
    await engine.attachables.close();
    expect([raw, borrowed.at(-1)]).toEqual([[true, false], "given back"]);
  });

  test("a large paste goes through in order", async () => {
    const { terminal, input } = makeTerminal();
    const { receive } = openSession(terminal);
    await receive();
    await receive();
    const paste = Array.from({ length: 2000 }, (_, line) => `line ${line}\n`);
    for (const line of paste) input.write(line);
    let text = "";
    while (text.length < paste.join("").length) text += ((await receive()) ?? "").slice("stdin ".length);
    expect(text).toBe(paste.join(""));
  });

  test("a second session waits for the first", async () => {
    const { terminal, borrowed } = makeTerminal();
    const { engine, stream, receive } = openSession(terminal);
    await receive();
    const second = engine.open(Terminal.session.path);
    const begun = second.messages[Symbol.asyncIterator]().next();
    await new Promise(setImmediate);
    expect(borrowed).toEqual(["taken"]);
    stream.end();
    expect((await begun).done).toBe(false);
    expect(borrowed).toEqual(["taken", "given back", "taken"]);
  });
});

describe("without a terminal", () => {
  const { terminal, output } = makeTerminal();
  test.each([
    ["nothing given", undefined],
    ["input from a file", { ...terminal, input: new PassThrough() }],
    ["output to a file", { ...terminal, output: new PassThrough() }],
  ])("%s: the session is refused", async (_, given) => {
    const answer = await startAttachables({ terminal: given }).call(Terminal.session.path);
    expect(answer).toEqual({ messages: [], status: GrpcStatus.UNKNOWN, message: "stdin is not a terminal; cannot get terminal size" });
    expect(output.read()).toBeNull();
  });
});
