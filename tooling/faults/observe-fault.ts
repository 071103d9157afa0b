import { createRegistry, openRunner, pause, RunnerError, type RunnerEvent } from "@anyrunner/core";
import { createReadiness, openSession, queryFailed, type Clock } from "@anyrunner/engine";
import { expectNothingLeft, takeInventory } from "@anyrunner/testkit";

import type { Fault, FaultRow, Scene } from "./fault.ts";

/** Enough for two attempts and more. Only the pauses between them count: attempts are as slow as the machine. */
const CONNECT_BUDGET_MS = 1000;

/** Brings the fault about and tells what came of it. Throws when something is left behind, or nothing failed. */
export async function observeFault({ fault, scheme, prepare }: Fault): Promise<FaultRow> {
  const cleanUps: (() => unknown)[] = [];
  try {
    const scene = await prepare((work) => void cleanUps.push(work));
    const around = scene.around ?? ((work) => work());
    // What the first use of everything loads stays.
    const before = await takeInventory();
    let retries = 0;
    const report = (event: RunnerEvent) => void (event.type === "retry" && retries++);
    const { error, seconds } = await around(() => fail(scene, report));
    await expectNothingLeft(before, { extra: scene.leftovers ?? (() => 0) });
    return {
      fault,
      scheme,
      code: error.code,
      message: withoutChance(error.message),
      hint: withoutChance(error.hint ?? ""),
      attempts: retries === 0 ? "one" : "again",
      seconds,
      leftovers: "nothing",
    };
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  }
}

interface Failure {
  readonly error: RunnerError;
  readonly seconds: number;
}

async function fail({ url, driver, strike, query: text = "{forever}" }: Scene, report: (event: RunnerEvent) => void): Promise<Failure> {
  let started = performance.now();
  try {
    const registry = createRegistry([{ name: driver.name, schemes: driver.schemes, origin: "test", load: async () => ({ driver }) }]);
    const runner = await openRunner(url, { registry, ready: createReadiness({ registry }), report });
    const session = await openSession(runner, { env: {}, cwd: "/", report, connectBudgetMs: CONNECT_BUDGET_MS, clock: clockOfPauses() });
    try {
      const query = session.query({ query: text });
      const outcome = query.then(
        ({ errors = [] }) => (errors.length === 0 ? new Error("the query was answered") : queryFailed(errors)),
        (error: unknown) => error,
      );
      if (strike !== undefined) started = performance.now();
      await strike?.();
      throw await outcome;
    } finally {
      await session.close();
    }
  } catch (error) {
    if (!RunnerError.is(error)) throw error;
    return { error, seconds: Math.round((performance.now() - started) / 100) / 10 };
  }
}

function clockOfPauses(): Clock {
  let now = 0;
  return {
    now: () => now,
    async sleep(ms, signal) {
      await pause(ms, signal);
      now += ms;
    },
  };
}

/** What differs from run to run. */
function withoutChance(text: string): string {
  return (
    text
      .replace(/during POST \/query|while the session was open/, "during the query")
      .replaceAll(/\/(?:var\/)?tmp\/[\w.-]+/g, "FOLDER")
      .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
      .replaceAll(/anyrunner-test-[0-9a-f]{6,}|nobody-calls-a-container-so/g, "NAME")
      .replaceAll(/"[0-9a-z]{25}"/g, '"ID"')
      .replaceAll(/\d+ bytes were sent and \d+ received/g, "N bytes were sent and N received")
      .replaceAll(/\d{4}-\d\d-\d\d(T[\d:.]+Z)?/g, "DATE")
      .replace(/writing blob: .*: no space left on device.*/, "… no space left on device")
      // What ssh says of a host that dies depends on what was under way.
      .replace(/(the ssh connection to \S+ ended: ).*/, "$1Connection to 127.0.0.1 closed by remote host.")
      .replaceAll(/\(\d+ attempts\)/g, "(N attempts)")
      // A pod's phase follows its containers a moment later.
      .replace(/is Running: (its container "engine" ended)/, "is Failed: $1")
      .replace(/(\nits last words:\n).*/s, "$1…")
  );
}
