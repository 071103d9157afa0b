import { describe, expect, test } from "vitest";

import type { BottomArea } from "./bottom-area.ts";
import { createLiveDrawing } from "./live-drawing.ts";

/** A drawing on nothing, in a time that passes when it is told to. */
function setUp({ costMs = 0 } = {}) {
  let isOurs = true;
  let now = 0;
  let timers: { readonly at: number; readonly work: () => void }[] = [];
  const seen: string[] = [];
  const area: BottomArea = {
    room: ({ rows }) => rows / 2,
    draw(lines, { rows, columns }) {
      seen.push(`${now}: ${lines.join()} in ${columns}x${rows}`);
      now += costMs;
    },
    release: () => void seen.push(`${now}: released`),
  };
  const drawing = createLiveDrawing({
    area,
    size: () => ({ rows: 20, columns: 80 }),
    lines: ({ width, height, frame }) => [`${width}x${height} #${frame}`],
    isOurs: () => isOurs,
    clock: {
      now: () => now,
      after(ms, work) {
        const timer = { at: now + ms, work };
        timers.push(timer);
        return () => void (timers = timers.filter((other) => other !== timer));
      },
    },
  });
  const pass = (ms: number) => {
    const end = now + ms;
    for (;;) {
      const [next] = timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at);
      if (next === undefined) break;
      timers = timers.filter((timer) => timer !== next);
      now = next.at;
      next.work();
    }
    now = end;
  };
  return { drawing, seen, pass, waiting: () => timers.length, setOurs: (value: boolean) => (isOurs = value) };
}

describe("a live drawing", () => {
  test("is drawn once for many changes, and again no sooner than a frame later", () => {
    const { drawing, seen, pass } = setUp();
    for (let index = 0; index < 1000; index++) drawing.changed();
    pass(10);
    for (let index = 0; index < 1000; index++) drawing.changed();
    pass(120);
    expect(seen).toEqual(["0: 79x10 #0 in 80x20", "120: 79x10 #1 in 80x20"]);
  });

  test("moves on by itself while time counts, more slowly when nothing is new", () => {
    const { drawing, seen, pass } = setUp();
    drawing.changed();
    pass(1300);
    expect(seen).toHaveLength(11);
    pass(20_000);
    const before = seen.length;
    pass(10_000);
    expect(seen.length - before).toBe(10);
    drawing.changed();
    pass(0);
    expect(seen.length - before).toBe(11);
  });

  test("takes a tenth of the time, however long it takes", () => {
    const { drawing, seen, pass } = setUp({ costMs: 50 });
    drawing.changed();
    pass(500);
    drawing.changed();
    pass(1000);
    expect(seen.map((line) => Number.parseInt(line, 10))).toEqual([0, 550, 1100]);
  });

  test("stands aside until everybody is done", () => {
    const { drawing, seen, pass } = setUp();
    const [one, other] = [drawing.hold(), drawing.hold()];
    drawing.changed();
    one();
    one();
    pass(1000);
    expect(seen).toEqual(["0: released"]);
    other();
    pass(0);
    expect(seen.slice(1)).toEqual(["1000: 79x10 #0 in 80x20"]);
  });

  test("leaves a terminal that isn't ours any more, and comes back when it is", () => {
    const { drawing, seen, pass, setOurs } = setUp();
    setOurs(false);
    drawing.changed();
    pass(119);
    setOurs(true);
    pass(1);
    expect(seen).toEqual(["0: released", "120: 79x10 #0 in 80x20"]);
  });

  test("is gone when it is closed, whoever stood aside", () => {
    const { drawing, seen, pass, waiting } = setUp();
    drawing.changed();
    const back = drawing.hold();
    drawing.close();
    back();
    drawing.changed();
    pass(1000);
    expect(seen).toEqual(["0: released", "0: released"]);
    expect(waiting()).toBe(0);
  });
});
