import type { EngineUse } from "@anyrunner/config";
import { RunnerError, type RunnerDriver, type RunnerHandle, type RunnerState } from "@anyrunner/core";
import { describe, expect, test } from "vitest";

import { runReaper } from "./run-reaper.ts";

const MINUTE = 60_000;

interface FakeEngine {
  readonly id: string;
  readonly owned?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  usedAt: number;
  sessions?: number;
  status?: RunnerState["status"] | "broken";
  /** Sessions of others, which only the engine knows. */
  othersUse?: boolean;
}

const labelled = (idleMinutes: number, more: Readonly<Record<string, string>> = {}) => ({
  "dev.anyrunner.role": "engine",
  "dev.anyrunner.idle": String(idleMinutes * MINUTE),
  ...more,
});
const kept = (tag: string, keep: number) => ({
  "dev.anyrunner.role": "engine",
  "dev.anyrunner.image": `example.com/engine:${tag}`,
  "dev.anyrunner.keep": String(keep),
});

async function reap(engines: FakeEngine[], { minutes = 240, at = {} }: { minutes?: number; at?: Readonly<Record<number, () => void>> } = {}) {
  const calls: string[] = [];
  const lines: string[] = [];
  let now = 0;
  const end = new AbortController();
  const find = ({ id }: Pick<RunnerHandle, "id">) => engines.find((engine) => engine.id === id) as FakeEngine;
  const driver = {
    async inspect(handle: RunnerHandle) {
      const { status = "running" } = find(handle);
      if (status === "broken") throw new RunnerError("CONNECTION_REFUSED", "no daemon");
      return { status };
    },
    async stop(handle: RunnerHandle, { drainMs }: { drainMs?: number }) {
      expect(drainMs).toBe(0);
      if (find(handle).othersUse) throw new RunnerError("TIMEOUT", "in use");
      calls.push(`stop ${handle.id} at ${now / MINUTE}`);
      find(handle).status = "stopped";
    },
    async destroy(handle: RunnerHandle, { volume }: { volume?: boolean }) {
      calls.push(`destroy ${handle.id}${volume ? " with its volume" : ""}`);
      find(handle).status = "missing";
    },
  } as unknown as RunnerDriver;
  let renewals = 0;
  await runReaper({
    uses: {
      list: async () =>
        engines.map(({ id, owned = true, labels = {}, usedAt, sessions = 0 }): EngineUse => ({
          handle: { driver: "docker", id, endpoint: {}, owned, labels },
          usedAt,
          sessions,
        })),
      touch: async (handle) => void (find(handle).usedAt = now),
      forget: async ({ id }) =>
        void engines.splice(
          engines.findIndex((engine) => engine.id === id),
          1,
        ),
    },
    lock: { renew: async () => renewals++ < minutes, release: async () => {} },
    driver: async () => driver,
    log: (line) => void lines.push(line),
    clock: {
      now: () => now,
      async sleep(ms) {
        now += ms;
        at[now / MINUTE]?.();
      },
    },
    signal: end.signal,
  });
  return { calls, lines, ended: now / MINUTE, sleep: (ms: number) => void (now += ms) };
}

describe("the reaper", () => {
  test("stops an engine that was idle for as long as it says, and then ends", async () => {
    const { calls, lines, ended } = await reap([{ id: "a", usedAt: 0, labels: labelled(30) }]);
    expect(calls).toEqual(["stop a at 30"]);
    expect(lines).toEqual(['stopped the docker engine "a", which nobody uses; its cache stays', "nothing is left to watch"]);
    expect(ended).toBe(30);
  });

  test("leaves alone what has sessions, what isn't ours, and what asks for nothing", async () => {
    const { calls, ended } = await reap([
      { id: "live", usedAt: 0, labels: labelled(30), sessions: 1 },
      { id: "foreign", usedAt: 0, labels: labelled(30), owned: false },
      { id: "plain", usedAt: 0, labels: { "dev.anyrunner.role": "engine" } },
    ]);
    expect(calls).toEqual([]);
    expect(ended).toBe(240);
  });

  test("takes the sessions of others, which the engine tells, for its last use", async () => {
    const engine: FakeEngine = { id: "a", usedAt: 0, labels: labelled(30), othersUse: true };
    const { calls } = await reap([engine], { at: { 45: () => (engine.othersUse = false) } });
    expect(calls).toEqual(["stop a at 60"]);
  });

  test("removes those beyond the number that is kept, the longest unused first, never their volumes", async () => {
    const { calls } = await reap(
      [
        { id: "old", usedAt: 1, labels: kept("1", 5), status: "stopped" },
        { id: "older", usedAt: 0, labels: kept("2", 5) },
        { id: "busy", usedAt: 2, labels: kept("3", 5), sessions: 1 },
        { id: "latest", usedAt: 3, labels: kept("4", 1) },
      ],
      { minutes: 2 },
    );
    expect(calls).toEqual(["stop old at 0", "destroy old", "stop older at 0", "destroy older"]);
  });

  test("gives up an engine whose runtime is gone", async () => {
    const { lines, ended } = await reap([{ id: "a", usedAt: 0, labels: labelled(30), status: "broken" }]);
    expect(lines).toEqual(['the docker engine "a": no daemon', "nothing is left to watch"]);
    expect(ended).toBe(29);
  });

  test("does not judge right after a sleep: a session first renews its lease", async () => {
    const engine: FakeEngine = { id: "a", usedAt: 0, labels: labelled(30) };
    let slept = false;
    const engines = [engine];
    const calls: string[] = [];
    let now = 0;
    await runReaper({
      uses: {
        list: async () =>
          engines.map(({ id, usedAt, labels = {}, sessions = 0 }) => ({
            handle: { driver: "docker", id, endpoint: {}, owned: true, labels },
            usedAt,
            sessions,
          })),
        touch: async () => {},
        forget: async () => {},
      },
      lock: { renew: async () => now < 300 * MINUTE, release: async () => {} },
      driver: async () => ({ inspect: async () => ({ status: "running" }), stop: async () => void calls.push("stop") }) as unknown as RunnerDriver,
      log: (line) => void calls.push(line.slice(0, 21)),
      clock: {
        now: () => now,
        async sleep(ms) {
          now += slept ? ms : 200 * MINUTE;
          if (slept) engine.sessions = 1;
          slept = true;
        },
      },
      signal: new AbortController().signal,
    });
    expect(calls).toEqual(["the machine has slept"]);
  });
});
