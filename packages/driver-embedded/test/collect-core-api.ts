// Replays recorded core-API cases on the embedded runner and keeps those that it answers as the engine did:
//   node packages/driver-embedded/test/collect-core-api.ts FOLDER_OF_CASES
// Cases that need no container go to core-api/pure, the others to core-api/containers; what passes rarely goes nowhere.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { resolveDockerEndpoint } from "@anyrunner/docker-endpoint";

import { createDockerExecutor } from "../src/executor/docker-executor.ts";
import { makeCoreApiFixture } from "../src/test-fixture.ts";
import { isAnswered, replayCase, type RecordedCase } from "../src/test-replay.ts";
import { openTestSession } from "../src/test-session.ts";

const TIMES = 2;
const target = join(import.meta.dirname, "core-api");
const source = process.argv[2];
if (source === undefined) throw new Error("name the folder of the recorded cases");

process.umask(0o022);
const env = { ...process.env, DO_NOT_TRACK: "1" };
const executor = createDockerExecutor({ endpoint: await resolveDockerEndpoint({ env: process.env }) });
const [pure, containers, fixture] = await Promise.all([openTestSession({ env }), openTestSession({ env, executor: () => executor }), makeCoreApiFixture()]);
const counts = { pure: 0, containers: 0 };
await rm(target, { recursive: true, force: true });

for (const file of (await readdir(source)).filter((name) => name.endsWith(".jsonl")).toSorted()) {
  const cases = (await readFile(join(source, file), "utf8"))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as RecordedCase);
  const kept = { pure: [] as RecordedCase[], containers: [] as RecordedCase[] };
  for (const each of cases) {
    // The order of two streams that are a tenth of a second apart depends on the machine's load.
    if (/sleep 0\./.test(JSON.stringify(each.steps))) continue;
    if (await passes(each, pure)) kept.pure.push(each);
    else if (await passes(each, containers)) kept.containers.push(each);
  }
  for (const kind of ["pure", "containers"] as const) {
    counts[kind] += kept[kind].length;
    if (kept[kind].length === 0) continue;
    await mkdir(join(target, kind), { recursive: true });
    await writeFile(
      join(target, kind, file),
      `${kept[kind].map(({ name, steps, expect, normalise }) => JSON.stringify({ name, steps, expect, normalise })).join("\n")}\n`,
    );
  }
  process.stdout.write(`${basename(file, ".jsonl")}: ${kept.pure.length} + ${kept.containers.length} of ${cases.length}\n`);
}
await writeFile(join(target, "counts.json"), `${JSON.stringify(counts)}\n`);
await containers.session.close();
const keys = await containers.snapshotKeys();
await Promise.all([pure.close(), containers.close(), fixture.remove()]);
const cleaner = createDockerExecutor({ endpoint: await resolveDockerEndpoint({ env: process.env }) });
for (const key of keys.toReversed()) await cleaner.forget(key, {});
await cleaner.close();

async function passes(each: RecordedCase, { session }: Awaited<ReturnType<typeof openTestSession>>): Promise<boolean> {
  for (let time = 0; time < TIMES; time++) {
    const run = `c${process.pid}${time}`;
    const answer = await replayCase(each, { session, fixture: fixture.path, run }).catch(() => undefined);
    if (!isAnswered(each, answer)) return false;
  }
  return true;
}
