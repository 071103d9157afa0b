import { Agent, request } from "node:http";

import { pair, percentile, type PairResult, type Sample } from "./pair.ts";
import { withSession, type SessionClient } from "./session-client.ts";
import { clientEnvironment, type BenchSettings } from "./settings.ts";

const AT_ONCE = 64;
const ROUNDS = 10;

/** 64 queries at once through one session port: 99th percentile of the latencies of ten rounds. */
export async function benchParallel({ anyrunner, dagger, engine, runs }: BenchSettings): Promise<readonly PairResult[]> {
  if (dagger === undefined || engine === undefined) return [];
  const env = clientEnvironment(engine);
  const name = `${AT_ONCE} queries at once, p99`;
  return withSession(
    [process.execPath, anyrunner, "session"],
    (ours) =>
      withSession(
        [dagger, "--progress", "plain", "session"],
        async (peer) => [await pair({ name, runs, target: 1.0, ours: () => burst(ours), peer: () => burst(peer) })],
        env,
      ),
    env,
  );
}

async function burst(session: SessionClient): Promise<Sample> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const latencies: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      latencies.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => ask(session, agent)))));
    }
  } finally {
    agent.destroy();
  }
  return { wallMs: percentile(latencies, 99) };
}

function ask({ port, token }: SessionClient, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const outgoing = request(
      { port, host: "127.0.0.1", path: "/query", method: "POST", agent, auth: `${token}:`, headers: { "content-type": "application/json" } },
      (response) => {
        response.resume();
        response.once("end", () => resolve(performance.now() - started));
      },
    );
    outgoing.once("error", reject);
    outgoing.end('{"query":"{version}"}');
  });
}
