import { RunnerError } from "@anyrunner/core/driver";
import type { DockerClient } from "@anyrunner/docker-endpoint";
import { expect, test } from "vitest";

import { removeContainer } from "./lifecycle.ts";

const clientThat = (error: RunnerError) => ({ request: () => Promise.reject(error) }) as unknown as DockerClient;
const answer = (status: number, message: string) => new RunnerError("COMMAND_FAILED", message, { details: { status } });

test("a container that somebody else is just removing counts as removed", async () => {
  await removeContainer(clientThat(answer(409, "removal of container 123 is already in progress")), "123", {});
});

test.each([
  [409, "You cannot remove a running container 123"],
  [500, "driver failed"],
])("%i, %s stays a failure", async (status, message) => {
  await expect(removeContainer(clientThat(answer(status, message)), "123", {})).rejects.toMatchObject({ message });
});
