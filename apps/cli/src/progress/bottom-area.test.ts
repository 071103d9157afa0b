import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createBottomArea } from "./bottom-area.ts";
import { createTestTerminal, type TestTerminal } from "./test-terminal.ts";

const SIZE = { rows: 12, columns: 40 };

/** An area on a terminal that a program writes to as well; `written` gives everything in the order in which it came. */
function shared({ rows, columns } = SIZE) {
  const terminal = createTestTerminal(columns, rows);
  let written = Promise.resolve();
  const write = (text: string) => void (written = written.then(() => terminal.write(text)));
  return { terminal, area: createBottomArea(write), write, settled: () => written };
}

const bottom = (terminal: TestTerminal, count: number) => terminal.screen().slice(-count);

describe("the area", () => {
  test("stands at the bottom, and a program goes on writing where it was", async () => {
    const { terminal, area, write, settled } = shared();
    write("$ run\r\nhalf a li");
    area.draw(["one", "two"], SIZE);
    write("ne\r\nnext");
    await settled();
    expect(terminal.screen().slice(0, 3)).toEqual(["$ run", "half a line", "next"]);
    expect(bottom(terminal, 2)).toEqual(["one", "two"]);
    expect(terminal.cursor()).toMatchObject({ column: 4, row: 2 });
  });

  test("moves what is in its way up, and what leaves at the top is remembered", async () => {
    const { terminal, area, write, settled } = shared();
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
    write(lines.slice(0, 15).join("\r\n"));
    area.draw(["a"], SIZE);
    area.draw(["a", "b", "c"], SIZE);
    write(`\r\n${lines.slice(15).join("\r\n")}`);
    await settled();
    expect(terminal.lines()).toEqual([...lines, "a", "b", "c"]);
  });

  test("keeps its height, and takes half of the terminal at the most", async () => {
    const { terminal, area, settled } = shared();
    area.draw(["1", "2", "3"], SIZE);
    area.draw(["4"], SIZE);
    await settled();
    expect(bottom(terminal, 4)).toEqual(["", "4", "", ""]);
    expect([area.room(SIZE), area.room({ rows: 7, columns: 80 }), area.room({ rows: 50, columns: 19 })]).toEqual([6, 0, 0]);
  });

  test("is taken away without a trace, and the cursor is shown", async () => {
    const { terminal, area, write, settled } = shared();
    write("\u001b[?25l\u001b[31mprompt> ");
    area.draw(["one", "two"], SIZE);
    area.release();
    area.release();
    write("x\r\n".repeat(20));
    await settled();
    expect(terminal.lines()).toEqual(["prompt> x", ...Array.from({ length: 19 }, () => "x")]);
    expect(terminal.cursor().isHidden).toBe(false);
  });

  test("comes back after a program has cleared the screen", async () => {
    const { terminal, area, write, settled } = shared();
    area.draw(["one"], SIZE);
    write("\u001b[r\u001b[2J\u001b[HGuten Tag");
    area.draw(["one"], SIZE);
    await settled();
    expect(terminal.screen()).toEqual(["Guten Tag", ...Array.from({ length: 10 }, () => ""), "one"]);
  });

  test.each([
    [60, 20],
    [60, 9],
    [30, 12],
    [41, 30],
  ])("follows a terminal that becomes %d by %d", async (columns, rows) => {
    const { terminal, area, write, settled } = shared();
    write("program 1\r\nprogram 2\r\n");
    area.draw(["tree 1", "tree 2", "tree 3"], SIZE);
    await settled();
    terminal.resize(columns, rows);
    area.draw(["tree 4", "tree 5", "tree 6"], { rows, columns });
    write("program 3\r\n");
    await settled();
    expect(terminal.lines().filter((line) => line !== "")).toEqual(["program 1", "program 2", "program 3", "tree 4", "tree 5", "tree 6"]);
    expect(bottom(terminal, 3)).toEqual(["tree 4", "tree 5", "tree 6"]);
  });

  test("leaves a terminal that has become too small", async () => {
    const { terminal, area, write, settled } = shared();
    area.draw(["tree"], SIZE);
    await settled();
    terminal.resize(40, 5);
    area.draw([], { rows: 5, columns: 40 });
    write("program");
    await settled();
    expect(terminal.lines()).toEqual(["program"]);
  });
});

test("whatever a program prints, all of it is there, in order; the tree stays at the bottom (property)", async () => {
  const word = fc.stringMatching(/^[a-z0-9 ]{0,50}$/);
  const step = fc.oneof(
    word.map((text) => ({ kind: "print" as const, text })),
    fc.constant({ kind: "print" as const, text: "\n" }),
    fc.array(fc.stringMatching(/^T[A-Z]{1,20}$/), { minLength: 1, maxLength: 8 }).map((lines) => ({ kind: "draw" as const, lines })),
    fc.constant({ kind: "release" as const }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { terminal, area, write, settled } = shared();
      const alone = createTestTerminal(SIZE.columns, SIZE.rows);
      let shown: readonly string[] = [];
      for (const next of steps) {
        if (next.kind === "draw") {
          area.draw(next.lines, SIZE);
          shown = next.lines.slice(0, area.room(SIZE));
        } else if (next.kind === "release") {
          area.release();
          shown = [];
        } else {
          const text = next.text.replaceAll("\n", "\r\n");
          write(text);
          await alone.write(text);
        }
      }
      await settled();
      const all = terminal.lines();
      const screen = terminal.screen();
      // Programs write no capitals, so that the tree begins at the first line that does, however alike its lines are.
      const at = screen.findIndex((line) => line.startsWith("T"));
      if (shown.length > 0) expect(screen.slice(at, at + shown.length)).toEqual(shown);
      const printed = shown.length === 0 ? all : all.slice(0, all.length - (screen.findLastIndex((line) => line !== "") + 1 - at));
      expect(withoutEnd(printed)).toEqual(withoutEnd(alone.lines()));
    }),
    { numRuns: 200 },
  );
});

function withoutEnd(lines: readonly string[]): readonly string[] {
  return lines.slice(0, lines.findLastIndex((line) => line !== "") + 1);
}
