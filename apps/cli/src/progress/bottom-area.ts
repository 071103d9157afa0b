export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** The lowest lines of a terminal, kept free of what others write to it. */
export interface BottomArea {
  /** Lines that it may have at the most in a terminal of this size; 0 where there is too little room. */
  room(size: TerminalSize): number;
  /** Draws the lines, each narrower than the terminal. The area grows with them, and never gets smaller until it is released. */
  draw(lines: readonly string[], size: TerminalSize): void;
  /** Gives all lines of the terminal back, and shows the cursor. Nothing of the area stays. Idempotent. */
  release(): void;
}

const LEAST_ROWS = 8;
const LEAST_COLUMNS = 20;

const SAVE = "\u001b7";
const RESTORE = "\u001b8";
const WHOLE_SCREEN = "\u001b[r";
const CLEAR_BELOW = "\u001b[J";
const SHOW_CURSOR = "\u001b[?25h";
/** Plain letters in plain colours, whatever the program that is shown above has chosen. `RESTORE` brings that back. */
const PLAIN = "\u000f\u001b(B\u001b[0m";

/**
 * Programs that know nothing of us go on writing to the terminal, where they are: only the lines above the area scroll, and lines that leave
 * at the top are kept by the terminal as ever. Each change is one write, which the system doesn't mix with those of others.
 */
export function createBottomArea(write: (text: string) => void): BottomArea {
  let height = 0;
  let drawnAt: TerminalSize = { rows: 0, columns: 0 };
  // The cursor is behind what was written last, so that below it there is only the area.
  const giveBack = () => `${SAVE}${WHOLE_SCREEN}${RESTORE}${CLEAR_BELOW}`;
  return {
    room: ({ rows, columns }) => (rows < LEAST_ROWS || columns < LEAST_COLUMNS ? 0 : Math.floor(rows / 2)),
    draw(lines, size) {
      let text = "";
      if (height > 0 && (size.rows !== drawnAt.rows || size.columns !== drawnAt.columns)) {
        text += giveBack();
        height = 0;
      }
      drawnAt = size;
      const wanted = Math.min(lines.length, this.room(size));
      if (wanted > height) {
        text += makeRoom(wanted - height);
        height = wanted;
      }
      if (height === 0) {
        if (text !== "") write(text);
        return;
      }
      const top = size.rows - height;
      // Set each time: a program that cleared the screen may have taken it back.
      text += `${SAVE}\u001b[1;${top}r${PLAIN}`;
      for (let line = 0; line < height; line++) text += `\u001b[${top + line + 1};1H\u001b[2K${line < wanted ? (lines[line] ?? "") : ""}\u001b[0m`;
      write(`${text}${RESTORE}`);
    },
    release() {
      if (height === 0) return;
      height = 0;
      write(`${giveBack()}${SHOW_CURSOR}`);
    },
  };
}

/** Moves what is in the way up. Where the cursor is high enough nothing moves. */
function makeRoom(lines: number): string {
  return `${"\u001bD".repeat(lines)}\u001b[${lines}A`;
}
