import { expect, test } from "vitest";

import { createSession, localProcesses } from "./session.ts";

test("this process is alive", async () => {
  const processes = localProcesses();
  expect(await processes.isDead(await processes.own())).toBe(false);
});

test("a process id that nobody has, or that someone else has now, is dead", async () => {
  const processes = localProcesses();
  const [machine, pid] = (await processes.own()).split("/");
  expect(await processes.isDead(`${machine}/4194999/1`)).toBe(true);
  expect(await processes.isDead(`${machine}/${pid}/1`)).toBe(process.platform === "linux");
});

test("nothing is known about the processes of another machine", async () => {
  expect(await localProcesses().isDead("elsewhere:boot:pid/1/1")).toBe(false);
  expect(await localProcesses().isDead("nonsense")).toBe(false);
});

test("labels of the caller stay, ours win", async () => {
  const session = await createSession({ labels: { a: "b", "anyrunner.owner": "me" }, processes: { own: async () => "p", isDead: async () => false } });
  expect(session.labels).toEqual({ a: "b", "anyrunner.owner": "embedded", "anyrunner.session": session.id, "anyrunner.process": "p" });
});
