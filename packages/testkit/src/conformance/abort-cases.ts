import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";

import { parseRunnerUrl, type RunnerConnection } from "@anyrunner/core";

import { caught, expectCode } from "./caught.ts";
import type { CaseContext, CaseDraft } from "./conformance-case.ts";
import { readText } from "./conversation.ts";
import type { DriverSuite } from "./driver-suite.ts";
import { shareOpenTarget, type OpenTarget } from "./open-target.ts";
import { withinBudget } from "./within-budget.ts";

/** How far a call may have come when it is cancelled: not at all, a few turns of the event loop, some milliseconds. */
const MOMENTS: readonly (() => Promise<unknown> | undefined)[] = [
  () => undefined,
  () => Promise.resolve(),
  () => nextTurn(),
  async () => {
    await nextTurn();
    await nextTurn();
  },
  () => delay(2),
  () => delay(10),
  () => delay(40),
];

const group = "abort";

/** Cancelling before and during each call: ABORTED, at once, and nothing stays behind. */
export function abortCases(context: CaseContext): readonly CaseDraft[] {
  const { suite } = context;
  const shared = shareOpenTarget(context, group);
  const calls = callsWithSignal(suite);
  return [
    ...[...calls, ...callsThatChange(suite)].map(({ name, call }): CaseDraft => ({
      group,
      name: `${name} with an aborted signal is ABORTED and does nothing`,
      async run() {
        const open = await shared();
        const reason = new Error("changed my mind");
        const error = await caught(() => call(open, AbortSignal.abort(reason)));
        assert.equal(expectCode(error, "ABORTED").cause, reason, "the cause of ABORTED is the signal's reason");
        await open.expectNothingLeft();
        await expectAlive(open);
      },
    })),
    ...calls.map(({ name, call }): CaseDraft => ({
      group,
      name: `${name} cancelled on its way is ABORTED, or was done; nothing is left, no listener either`,
      run: async () => cancelAtEveryMoment(await shared(), name, call),
    })),
    {
      group,
      name: "a connection that ended leaves no listener on the signal it was opened with",
      async run() {
        const open = await shared();
        const { signal } = new AbortController();
        const connection = await open.connect("ECHO", signal);
        connection.stream.destroy();
        await connection.closed("after its stream was destroyed");
        await open.expectNothingLeft();
        expectNoListener(signal);
      },
    },
  ];

  async function cancelAtEveryMoment(open: OpenTarget, name: string, call: Call): Promise<void> {
    for (const moment of MOMENTS) {
      const controller = new AbortController();
      const outcome = call(open, controller.signal).then(
        (value) => release(value),
        (error: unknown) => void expectCode(error, "ABORTED"),
      );
      outcome.catch(() => {});
      await moment();
      controller.abort();
      await withinBudget(suite, "answer", `\`${name}\` did not settle after its signal was aborted`, outcome);
      await open.expectNothingLeft();
      expectNoListener(controller.signal);
    }
  }
}

type Call = (open: OpenTarget, signal: AbortSignal) => Promise<unknown>;

/** Every member that takes a signal and changes nothing for the other tests. */
function callsWithSignal(suite: DriverSuite): readonly { readonly name: string; readonly call: Call }[] {
  const { capabilities } = suite.createDriver();
  const always: readonly { readonly name: string; readonly call: Call }[] = [
    { name: "probe", call: async ({ driver, far }, signal) => driver.probe(await driver.parse(parseRunnerUrl(far.url)), { signal }) },
    { name: "provision", call: ({ driver, target }, signal) => driver.provision(target, { signal }) },
    { name: "connect", call: ({ driver, handle }, signal) => driver.connect(handle, { signal }) },
  ];
  const optional: readonly { readonly name: string; readonly call: Call }[] = [
    { name: "inspect", call: async ({ driver, handle }, signal) => driver.inspect?.(handle, { signal }) },
    { name: "logs", call: async ({ driver, handle }, signal) => drain(driver.logs?.(handle, { signal, follow: true })) },
    { name: "list", call: async ({ driver }, signal) => driver.list?.({ signal }) },
  ];
  return [...always, ...optional.filter(({ name }) => (capabilities as readonly string[]).includes(name))];
}

/** Members that end a runner: cancelled before they begin, they must not. */
function callsThatChange(suite: DriverSuite): readonly { readonly name: string; readonly call: Call }[] {
  if (!suite.createDriver().capabilities.includes("lifecycle")) return [];
  return [
    { name: "start", call: async ({ driver, handle }, signal) => driver.start?.(handle, { signal }) },
    { name: "stop", call: async ({ driver, handle }, signal) => driver.stop?.(handle, { signal }) },
    { name: "destroy", call: async ({ driver, handle }, signal) => driver.destroy?.(handle, { signal, volume: true }) },
  ];
}

async function expectAlive(open: OpenTarget): Promise<void> {
  const { stream, closed } = await open.connect("SOURCE 5");
  assert.equal(await readText(stream), "1\n2\n3");
  stream.destroy();
  await closed("after its stream was destroyed");
}

function expectNoListener(signal: AbortSignal): void {
  // A runner of tests may have arrays of its own: Jest's are equal to none of Node's.
  assert.equal(getEventListeners(signal, "abort").length, 0, "listeners on the signal");
}

async function drain(chunks: AsyncIterable<string> | undefined): Promise<void> {
  for await (const _ of chunks ?? []) continue;
}

function release(value: unknown): void {
  const stream = (value as Partial<RunnerConnection> | undefined)?.stream;
  stream?.on("error", () => {});
  stream?.destroy();
}
