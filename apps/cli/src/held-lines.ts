/** A writer of lines that can be made to wait while somebody else has the terminal. */
export interface HeldLines {
  readonly write: (line: string) => void;
  /** Keeps lines back until what it gives is called; of very many only the last are then written. */
  readonly hold: () => () => void;
}

const MOST_LINES = 1000;

export function createHeldLines(write: (line: string) => void): HeldLines {
  let held: string[] | undefined;
  return {
    write(line) {
      if (held === undefined) return write(line);
      if (held.push(line) > MOST_LINES) held.shift();
    },
    hold() {
      const lines = (held = [] as string[]);
      return () => {
        held = undefined;
        for (const line of lines) write(line);
      };
    },
  };
}
