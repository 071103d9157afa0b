import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, connect, type AddressInfo } from "node:net";

import { describe, expect, test } from "vitest";

import { describeLeaks, expectNothingLeft, takeInventory } from "./leak-check.ts";

describe("takeInventory", () => {
  test("sees listeners, both ends of a connection and child processes, and sees them go", async () => {
    const before = await takeInventory();
    const server = createServer((socket) => socket.on("error", () => {}));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    await once(socket, "connect");
    await expect
      .poll(async () => describeLeaks(before, await takeInventory()).toSorted((a, b) => a.localeCompare(b)))
      .toEqual(["1 × TCPServerWrap", "2 × TCPSocketWrap"]);

    socket.destroy();
    server.close();
    await expectNothingLeft(before);

    const child = spawn("sleep", ["60"], { stdio: "ignore" });
    expect(describeLeaks(before, await takeInventory())).toContain("1 × child process");
    child.kill();
    await once(child, "exit");
    await expectNothingLeft(before);
  });
});

describe("expectNothingLeft", () => {
  test("waits for what is on its way out", async () => {
    let remaining = 3;
    await expectNothingLeft(await takeInventory(), { extra: () => remaining-- });
    // Whatever the runner of tests itself opens meanwhile is waited for, too.
    expect(remaining).toBeLessThan(0);
  });

  test("fails with the list of what stays", async () => {
    await expect(expectNothingLeft(await takeInventory(), { extra: () => 2, budgetMs: 0 })).rejects.toThrow("left behind: 2 × at the far end");
  });

  test("less than before is no leak", () => {
    expect(describeLeaks({ PipeWrap: 2 }, { PipeWrap: 1 })).toEqual([]);
  });
});
