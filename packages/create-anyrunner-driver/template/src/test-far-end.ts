import type { Duplex } from "node:stream";

import { serveConformancePeer, type ConformanceTarget } from "@anyrunner/testkit";

import { runners } from "./in-memory.ts";

let count = 0;

/** Makes a runner for the tests, whose engine is the conformance peer. */
export async function makeTestRunner(): Promise<ConformanceTarget> {
  const name = `test-${++count}`;
  const streams = new Set<Duplex>();
  runners.set(`main/${name}`, (stream) => {
    streams.add(stream);
    stream.once("close", () => streams.delete(stream));
    void serveConformancePeer(stream);
  });
  const kill = async () => {
    runners.delete(`main/${name}`);
    for (const stream of streams) stream.destroy();
  };
  return { url: `echo://${name}`, kill, close: kill, leftovers: async () => streams.size };
}
