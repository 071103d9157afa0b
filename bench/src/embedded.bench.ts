import { randomUUID } from "node:crypto";

import { measure } from "./measure.ts";
import { median, pair, type PairResult } from "./pair.ts";
import type { BenchSettings } from "./settings.ts";
import { withSession } from "./session-client.ts";

/** The image that both sides run; it must be there. */
const IMAGE = process.env["ANYRUNNER_BENCH_IMAGE"] ?? "busybox:test";

/** The embedded runner against `docker run --rm` of the same image: a fresh step, a further step of a chain, a cached step. */
export async function benchEmbedded({ anyrunner, runs }: BenchSettings): Promise<readonly PairResult[]> {
  const dockerRun = () => measure({ argv: ["docker", "run", "--rm", IMAGE, "true"] });
  return withSession([process.execPath, anyrunner, "session", "--runner", "embedded://"], async (session) => {
    const chain = async (steps: number, salt: string = randomUUID()) => {
      const body = Array.from({ length: steps }, (_, index) => `withExec(args:["true","${salt}-${index}"]){`).join("");
      const started = performance.now();
      await session.query(`{container{from(address:"${IMAGE}"){${body}stdout${"}".repeat(steps + 3)}`);
      return performance.now() - started;
    };
    const fresh = await pair({
      name: "embedded: fresh step / docker run --rm",
      runs,
      target: 1.0,
      ours: async () => ({ wallMs: await chain(1) }),
      peer: dockerRun,
    });
    const further = await pair({
      name: "embedded: further step of a chain / docker run --rm",
      runs,
      target: 0.25,
      ours: async () => ({ wallMs: ((await chain(11)) - (await chain(1))) / 10 }),
      peer: dockerRun,
    });
    const salt = randomUUID();
    await chain(1, salt);
    const cached: number[] = [];
    for (let run = 0; run < runs; run++) cached.push(await chain(1, salt));
    const cachedResult: PairResult = {
      name: "embedded: cached step / 10 ms",
      oursMs: median(cached),
      peerMs: 10,
      ratio: median(cached) / 10,
      target: 1,
      oursMiB: 0,
      peerMiB: 0,
      runs,
    };
    return [fresh, further, cachedResult];
  });
}
