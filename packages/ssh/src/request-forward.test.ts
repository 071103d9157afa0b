import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { ForwardDeniedError, requestForward } from "./request-forward.ts";

const BUDGET_MS = 60_000;
const HELLO = "00000008" + "00000001" + "00000004";
const OK = "00000008" + "80000001" + "00000001";

const hex = (text: string) => Buffer.from(text).toString("hex");
const denial = (type: string, reason: string) =>
  [16 - 4 + reason.length, null, 1, reason.length].map((value) => (value === null ? type : value.toString(16).padStart(8, "0"))).join("") + hex(reason);

/** A control socket that greets with bytes, and answers the client's second message with bytes. Its path, and what it has read. */
async function startControl({ greeting, answer, pieceBytes = Infinity }: { greeting: string; answer?: string; pieceBytes?: number }) {
  const folder = mkdtempSync(join(tmpdir(), "anyrunner-test-mux-"));
  const control = join(folder, "c");
  let read = "";
  const write = (socket: Socket, bytes: string) => {
    for (let at = 0; at < bytes.length; at += pieceBytes * 2) socket.write(Buffer.from(bytes.slice(at, at + pieceBytes * 2), "hex"));
  };
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      const isFirst = read === "";
      read += chunk.toString("hex");
      if (isFirst) write(socket, greeting);
      else if (answer === undefined) socket.end();
      else write(socket, answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(control, resolve));
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { control, read: () => read };
}

test("asks for a forward of a socket in ssh's own words", async () => {
  const control = await startControl({ greeting: HELLO, answer: OK });
  await requestForward({ control: control.control, local: "/l%:", remotePath: "/far", budgetMs: BUDGET_MS });
  const request = ["10000006", "00000001", "00000001", "00000004", hex("/l%:"), "fffffffe", "00000004", hex("/far"), "fffffffe"].join("");
  expect(control.read()).toBe(HELLO + (request.length / 2).toString(16).padStart(8, "0") + request);
});

test("an answer may come in pieces of any size", async () => {
  const { control } = await startControl({ greeting: HELLO, answer: OK, pieceBytes: 1 });
  await expect(requestForward({ control, local: "/l", remotePath: "/far", budgetMs: BUDGET_MS })).resolves.toBeUndefined();
});

test.each([
  ["permission denied", "80000002"],
  ["failure", "80000003"],
])("ssh's %s is told in its words", async (_, type) => {
  const { control } = await startControl({ greeting: HELLO, answer: denial(type, "Port forwarding failed") });
  const refused = requestForward({ control, local: "/l", remotePath: "/far", budgetMs: BUDGET_MS });
  await expect(refused).rejects.toThrow("Port forwarding failed");
  await expect(refused).rejects.toBeInstanceOf(ForwardDeniedError);
});

test.each([
  ["ends without an answer", { greeting: HELLO }, "ssh closed its control socket"],
  ["speaks another version", { greeting: HELLO.slice(0, -1) + "5" }, "ssh answers 1 at its control socket"],
  ["says a length that nothing has", { greeting: "ffffffff".repeat(2) }, "what ssh says at its control socket is not understood"],
])("what %s is no ssh to forward by", async (_, settings, message) => {
  const { control } = await startControl(settings);
  const failed = requestForward({ control, local: "/l", remotePath: "/far", budgetMs: BUDGET_MS });
  await expect(failed).rejects.toThrow(message);
  await expect(failed).rejects.not.toBeInstanceOf(ForwardDeniedError);
});

test("a control socket that is gone fails at once", async () => {
  await expect(requestForward({ control: "/no/such/control", local: "/l", remotePath: "/far", budgetMs: BUDGET_MS })).rejects.toThrow("ENOENT");
});

test("ssh that doesn't answer is given up after the budget", async () => {
  const { control } = await startControl({ greeting: "" });
  await expect(requestForward({ control, local: "/l", remotePath: "/far", budgetMs: 1 })).rejects.toThrow("did not answer at its control socket");
});
