import xterm from "@xterm/headless";

/** A terminal as people have one, without a window. */
export interface TestTerminal {
  /** Resolves when the terminal has taken the text. */
  write(text: string): Promise<void>;
  resize(columns: number, rows: number): void;
  /** Everything that it remembers, the oldest line first; what follows the last text is left out. */
  lines(): readonly string[];
  /** What is on the screen now, from the top. */
  screen(): readonly string[];
  cursor(): { readonly column: number; readonly row: number; readonly isHidden: boolean };
}

export function createTestTerminal(columns: number, rows: number): TestTerminal {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 100_000 });
  const buffer = () => terminal.buffer.active;
  const read = (from: number, to: number) =>
    Array.from(
      { length: Math.max(0, to - from) },
      (_, index) =>
        buffer()
          .getLine(from + index)
          ?.translateToString(true) ?? "",
    );
  let isHidden = false;
  terminal.parser.registerCsiHandler({ prefix: "?", final: "h" }, ([mode]) => {
    if (mode === 25) isHidden = false;
    return false;
  });
  terminal.parser.registerCsiHandler({ prefix: "?", final: "l" }, ([mode]) => {
    if (mode === 25) isHidden = true;
    return false;
  });
  return {
    write: (text) => new Promise((resolve) => terminal.write(text, resolve)),
    resize: (newColumns, newRows) => terminal.resize(newColumns, newRows),
    lines() {
      const all = read(0, buffer().length);
      return all.slice(0, all.findLastIndex((line) => line !== "") + 1);
    },
    screen: () => read(buffer().baseY, buffer().baseY + terminal.rows),
    cursor: () => ({ column: buffer().cursorX, row: buffer().cursorY, isHidden }),
  };
}
