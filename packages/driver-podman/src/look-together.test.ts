import { expect, test } from "vitest";

import type { CommandResult, ContainerCli } from "./container-cli.ts";
import { findContainerTogether } from "./look-together.ts";
import { RUNTIMES } from "./runtimes.ts";

const FOUND: CommandResult = { exitCode: 0, stdout: JSON.stringify([{ Id: "c0ffee", Name: "box", State: { Status: "running" } }]), stderr: "" };

interface Asked {
  readonly signal: AbortSignal | undefined;
  answer(result: CommandResult): void;
}

/** A CLI that answers when it is told to. */
function createCli(env: ContainerCli["env"] = {}) {
  const asked: Asked[] = [];
  const cli = {
    runtime: RUNTIMES.podman,
    env,
    shown: "podman",
    attempt: (_args: readonly string[], { signal }: { readonly signal?: AbortSignal | undefined }) =>
      new Promise<CommandResult>((resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason as Error));
        asked.push({ signal, answer: resolve });
      }),
  } as unknown as ContainerCli;
  return { cli, asked };
}

test("calls at the same time share one look, and the next has its own", async () => {
  const { cli, asked } = createCli();
  const looks = Array.from({ length: 200 }, () => findContainerTogether(cli, "box", {}));
  const other = findContainerTogether(cli, "crate", {});
  expect(asked).toHaveLength(2);
  asked[0]?.answer(FOUND);
  asked[1]?.answer(FOUND);
  for (const container of await Promise.all([...looks, other])) expect(container).toMatchObject({ name: "box", state: "running" });
  const later = findContainerTogether(cli, "box", {});
  expect(asked).toHaveLength(3);
  asked[2]?.answer(FOUND);
  await later;
});

test("other environments have other containers", async () => {
  const [one, other] = [createCli(), createCli()];
  const looks = [findContainerTogether(one.cli, "box", {}), findContainerTogether(other.cli, "box", {})];
  expect([one.asked.length, other.asked.length]).toEqual([1, 1]);
  one.asked[0]?.answer(FOUND);
  other.asked[0]?.answer(FOUND);
  await Promise.all(looks);
});

test("who stops waiting disturbs nobody; the last one ends the look", async () => {
  const { cli, asked } = createCli();
  const aborts = [new AbortController(), new AbortController()];
  const looks = aborts.map(({ signal }) => findContainerTogether(cli, "box", { signal }));
  aborts[0]?.abort();
  await expect(looks[0]).rejects.toMatchObject({ code: "ABORTED" });
  expect(asked[0]?.signal?.aborted).toBe(false);
  aborts[1]?.abort();
  await expect(looks[1]).rejects.toMatchObject({ code: "ABORTED" });
  expect(asked[0]?.signal?.aborted).toBe(true);
  const anew = findContainerTogether(cli, "box", {});
  expect(asked).toHaveLength(2);
  asked[1]?.answer(FOUND);
  await expect(anew).resolves.toMatchObject({ id: "c0ffee" });
});

test("what one look finds missing is missing for all who wait", async () => {
  const { cli, asked } = createCli();
  const looks = [findContainerTogether(cli, "box", {}), findContainerTogether(cli, "box", {})];
  asked[0]?.answer({ exitCode: 125, stdout: "", stderr: "Error: no such container box" });
  await expect(Promise.all(looks)).resolves.toEqual([undefined, undefined]);
});
