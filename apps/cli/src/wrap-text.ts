import { displayWidth } from "./progress/display-width.ts";

/** Less is left to the terminal, which breaks it anywhere. */
const MINIMUM_WIDTH = 24;

/** The text in lines of at most `width` columns, broken between words only: a word that is longer keeps its line for itself. */
export function wrapText(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** A text that stands behind another, and goes on below itself where it is longer than `columns` leave; narrow terminals break it themselves. */
export function hangText(before: string, text: string, columns = Number.POSITIVE_INFINITY): readonly string[] {
  const start = displayWidth(before);
  const [first = "", ...rest] = columns - start < MINIMUM_WIDTH ? [text] : wrapText(text, columns - start);
  return [`${before}${first}`, ...rest.map((line) => `${" ".repeat(start)}${line}`)];
}
