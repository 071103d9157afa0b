import { describe, expect, test } from "vitest";

import { outline, testLog, testSpan, viewOf } from "./test-steps.ts";

describe("a forest", () => {
  test("has steps below their parents, those whose parent isn't known at the top", () => {
    const { roots } = viewOf([testSpan("a", { parentSpanId: "elsewhere" }), testSpan("b", { parentSpanId: "a", from: 8 }), testSpan("c", { to: 1 })]);
    expect(outline(roots)).toBe("a running 10s [b running 2s], c done 1s");
  });

  test("tells how steps ended; the newest word counts", () => {
    const { roots } = viewOf([
      testSpan("a"),
      testSpan("a", { to: 1, is: ["cached"] }),
      testSpan("b", { to: 1, is: ["canceled"], failed: true }),
      testSpan("c", { to: 2, failed: true, statusMessage: "exit\ncode 1" }),
    ]);
    expect(outline(roots)).toBe("a cached 1s, b canceled 1s, c failed 2s");
    expect(roots.at(-1)?.message).toBe("exit code 1");
  });

  test("shows what is below a span that only stands for others, and nothing of the engine's own affairs but failures", () => {
    const { roots } = viewOf([
      testSpan("post", { is: ["passthrough"] }),
      testSpan("call", { parentSpanId: "post", to: 1 }),
      testSpan("plumbing", { parentSpanId: "post", is: ["internal"] }),
      testSpan("pipe", { parentSpanId: "plumbing", to: 1 }),
      testSpan("leak", { parentSpanId: "pipe", to: 1, failed: true }),
      testSpan("shell", { is: ["encapsulate"], to: 1 }),
      testSpan("nut", { parentSpanId: "shell", to: 1 }),
    ]);
    expect(outline(roots)).toBe("call done 1s, leak failed 1s, shell done 1s");
  });

  test("knows that a step is hidden also when that is told after it", () => {
    const { roots } = viewOf([testSpan("pipe", { parentSpanId: "plumbing", to: 1 }), testSpan("plumbing", { is: ["encapsulated"] })]);
    expect(roots).toEqual([]);
  });
});

describe("work that goes on with a step that is over", () => {
  const lazy = [testSpan("exec", { to: 1 }), testSpan("stdout")];
  const resume = (more: object) => testSpan("resume", { parentSpanId: "stdout", is: ["passthrough"], continues: ["exec"], from: 4, ...more });

  test("makes it run again, and what is below it is shown there", () => {
    expect(outline(viewOf([...lazy, resume({}), testSpan("inner", { parentSpanId: "resume", from: 9 })]).roots)).toBe(
      "exec running 7s [inner running 1s], stdout running 10s",
    );
  });

  test("adds its time, once", () => {
    expect(outline(viewOf([...lazy, resume({}), resume({ to: 6 }), resume({ to: 6 })]).roots)).toBe("exec done 3s, stdout running 10s");
  });

  test("is over once it was told to be, whoever tells of its beginning again", () => {
    expect(outline(viewOf([...lazy, resume({}), resume({ to: 6 }), resume({}), testSpan("exec")]).roots)).toBe("exec done 3s, stdout running 10s");
  });

  test("lets it fail, also when the step is told again", () => {
    const { roots } = viewOf([...lazy, resume({}), resume({ to: 6, failed: true, statusMessage: "exit code 3" }), testSpan("exec", { to: 1 })]);
    expect(outline(roots)).toBe("exec failed 3s, stdout running 10s");
    expect(roots[0]?.message).toBe("exit code 3");
  });

  test("is known by its name on engines before 0.21", () => {
    const work = (more: object) =>
      testSpan("exec sh", { parentSpanId: "stdout", is: ["internal"], attributes: { "dagger.io/effect.id": "e1" }, from: 4, ...more });
    const calls = [
      testSpan("exec", { to: 1, attributes: { "dagger.io/effect.ids": ["e0", "e1"] } }),
      testSpan("stdout", { attributes: { "dagger.io/effect.ids": ["e1"] } }),
    ];
    expect(outline(viewOf([...calls, work({})]).roots)).toBe("exec running 7s, stdout running 10s");
    expect(outline(viewOf([work({}), ...calls]).roots)).toBe("exec running 7s, stdout running 10s");
    expect(outline(viewOf([...calls, work({}), work({ to: 6, failed: true })]).roots)).toBe("exec failed 3s, stdout running 10s [exec sh failed 2s]");
  });

  test("may go round in circles", () => {
    const circle = [testSpan("a", { parentSpanId: "b", continues: ["b"] }), testSpan("b", { parentSpanId: "a", is: ["passthrough"], continues: ["a"] })];
    expect(outline(viewOf([...circle, testSpan("c", { is: ["passthrough"], continues: ["c", "a"] })]).roots)).toBe("");
  });
});

describe("output", () => {
  test("is shown of what runs or has failed: the last lines, safe, as a terminal leaves them", () => {
    const { roots } = viewOf([
      testSpan("a"),
      testSpan("b", { to: 1 }),
      testLog("a", "\u001b[31mone\u001b[0m\n\n10%\r50%\r100%\r\nhal"),
      testLog("a", "f\t"),
      testLog("b", "nobody asks"),
      testLog("a", "noise", { "dagger.io/logs.verbose": true }),
    ]);
    expect(roots.map(({ tail }) => tail)).toEqual([["one", "100%", "half  "], []]);
  });

  test("how far a step is, with what is hidden below it", () => {
    const record = testLog("pull", "", {
      "dagger.io/progress.item": "layer",
      "dagger.io/progress.current": 1024n,
      "dagger.io/progress.total": 4096n,
      "dagger.io/progress.unit": "bytes",
    });
    const steps = [testSpan("from"), testSpan("pull", { parentSpanId: "from", is: ["encapsulated"] }), testSpan("other")];
    expect(viewOf([...steps, record]).roots.map(({ title, amount }) => [title, amount])).toEqual([
      ["from", "1.0 KiB of 4.0 KiB"],
      ["other", ""],
    ]);
  });

  test("of a span that only stands for others belongs to no step", () => {
    expect(viewOf([testSpan("root", { is: ["passthrough"] }), testLog("root", "hello\n")]).tail).toEqual(["hello"]);
  });
});

describe("memory is bounded", () => {
  test("the oldest that succeeded become numbers, then those that failed; what runs stays", () => {
    const done = Array.from({ length: 50 }, (_, index) => testSpan(`done ${index}`, { parentSpanId: "parent", to: 1 }));
    const failed = Array.from({ length: 3 }, (_, index) => testSpan(`failed ${index}`, { to: 1, failed: true }));
    const { roots, refused } = viewOf([testSpan("parent"), ...failed, ...done], 8);
    expect(outline(roots)).toMatch(/^parent running 10s \[\+4\d, done 4\d done 1s.*\], failed 0 failed 1s, failed 1 failed 1s, failed 2 failed 1s$/);
    expect(refused).toBe(0);
  });

  test("what finds no room is counted", () => {
    const running = Array.from({ length: 1000 }, (_, index) => testSpan(`running ${index}`));
    const { roots, refused } = viewOf(running, 10);
    expect([roots.length, refused]).toEqual([10, 990]);
  });

  test("a hundred thousand steps with a hundred thousand lines", () => {
    const records = Array.from({ length: 100_000 }, (_, index) => [
      testSpan(`step ${index}`, { parentSpanId: index % 2 === 0 ? "parent" : undefined, to: 1, failed: index % 10 === 0 }),
      testLog(`step ${index}`, `line of step ${index}\n`),
    ]).flat();
    const { roots, folded } = viewOf([testSpan("parent"), ...records]);
    expect(roots.length + (roots[0]?.children.length ?? 0)).toBeLessThanOrEqual(4001);
    expect(folded + (roots[0]?.folded ?? 0)).toBeGreaterThan(95_000);
  });
});
