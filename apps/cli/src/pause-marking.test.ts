import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { createMarkingPause } from "./pause-marking.ts";

test("marking is off from the first pause until the last has ended, however often each is ended", () => {
  const flags: string[] = [];
  const pause = createMarkingPause((flag) => flags.push(flag));
  const ends = [pause(), pause()];
  expect(flags).toEqual(["--no-incremental-marking"]);
  ends[0]?.();
  ends[0]?.();
  expect(flags).toEqual(["--no-incremental-marking"]);
  ends[1]?.();
  expect(flags).toEqual(["--no-incremental-marking", "--incremental-marking"]);
  pause()();
  expect(flags.slice(2)).toEqual(["--no-incremental-marking", "--incremental-marking"]);
});

test("V8 takes the flags at any time, and collects garbage all the same", () => {
  const script = `
    import { createMarkingPause } from ${JSON.stringify(fileURLToPath(new URL("pause-marking.ts", import.meta.url)))};
    const end = createMarkingPause()();
    for (let count = 0; count < 1000; count++) Buffer.allocUnsafeSlow(2 ** 20).fill(1);
    end();
    console.log(process.memoryUsage.rss() < 2 ** 29);
  `;
  expect(execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" })).toBe("true\n");
});
