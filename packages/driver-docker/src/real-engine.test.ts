import { setTimeout as delay } from "node:timers/promises";

import { parseRunnerUrl, type ProvisionOptions, type RunnerEvent } from "@anyrunner/core/driver";
import { callUnary, Control, openHttp2Connection } from "@anyrunner/protocol";
import { describe, expect, test } from "vitest";

import { createDockerDriver } from "./driver.ts";
import { createEngineSite, skipReason } from "./test-container.ts";
import { hasImage } from "./test-image.ts";

/** An engine's image that the daemon has; tests pull none. */
const IMAGE = process.env["ANYRUNNER_TEST_ENGINE_IMAGE"] ?? "registry.dagger.io/engine:v0.21.8";
const reason = skipReason ?? ((await hasImage(IMAGE)) ? undefined : `the daemon has no ${IMAGE}; ANYRUNNER_TEST_ENGINE_IMAGE names another`);

describe.skipIf(reason !== undefined)(`a real engine ${reason === undefined ? IMAGE : `(${reason})`}`, () => {
  const driver = createDockerDriver();

  async function askInfo(handle: Parameters<typeof driver.connect>[0]): Promise<string> {
    const { stream } = await driver.connect(handle, {});
    stream.on("error", () => undefined);
    const connection = openHttp2Connection(stream);
    try {
      return (await callUnary(connection, Control.info, {}, {})).buildkitVersion?.package ?? "";
    } finally {
      connection.destroy();
      stream.destroy();
    }
  }

  /** Until it answers; whoever calls gives up by `signal`. */
  const ready: NonNullable<ProvisionOptions["ready"]> = async (handle, { signal }) => {
    for (;;) {
      signal?.throwIfAborted();
      if ((await askInfo(handle as never).catch(() => "")) !== "") return;
      await delay(100, undefined, { signal });
    }
  };

  test("is made once for four callers, answers, drains, keeps its cache, and says when it lost it", { timeout: 240_000 }, async () => {
    await using site = createEngineSite();
    const target = driver.parse(parseRunnerUrl(`docker-image://${IMAGE}?container=${site.name}`));
    const events: RunnerEvent[] = [];
    const report = (event: RunnerEvent) => void events.push(event);
    const provision = async () => driver.provision(await target, { ready, report });

    const handles = await Promise.all(Array.from({ length: 4 }, provision));
    expect(new Set(handles.map(({ id }) => id)).size).toBe(1);
    const [handle] = handles;
    if (handle === undefined) return;
    expect(await askInfo(handle)).toBe("github.com/dagger/dagger");

    await driver.stop?.(handle, { report });
    expect(events.at(-1)).toMatchObject({ type: "progress", id: `cache-kept-${site.name}` });
    events.length = 0;
    expect((await provision()).id).toBe(handle.id);
    expect(events.filter(({ type }) => type === "warning")).toEqual([]);

    await site.kill();
    await provision();
    expect(events.filter(({ type }) => type === "warning")).toMatchObject([{ id: `cache-discarded-${site.name}` }]);
    await driver.destroy?.(handle, { volume: true });
    expect(await driver.inspect?.(handle, {})).toEqual({ status: "missing" });
  });
});
