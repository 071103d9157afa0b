/**
 * The columns that text takes in a terminal at the most: terminals differ in what they join, so each character of a joined emoji counts,
 * and a variation selector that may make the one before it wide counts one. The text has no control characters.
 */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** The text, or as much of its beginning as leaves room for an ellipsis, in at most `width` columns. */
export function fitWidth(text: string, width: number): string {
  if (text.length * 2 <= width || displayWidth(text) <= width) return text;
  if (width < 1) return "";
  let kept = "";
  let left = width - 1;
  for (const character of text) {
    left -= characterWidth(character);
    if (left < 0) break;
    kept += character;
  }
  return `${kept.replace(JOINERS_AT_END, "")}…`;
}

const JOINERS_AT_END = /(?:\u200d|\ufe0f)+$/;
const WIDE =
  /[\u1100-\u115f\u231a\u231b\u2329\u232a\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1d300}-\u{1d376}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;
/** Marks that every terminal puts on the character before, and what is not seen. */
const NO_WIDTH = /[\u0300-\u036f\u20d0-\u20ff]|[\u200b\u200c\u2060-\u2063\ufeff]|\u200d/u;

function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (code === 0xfe0f) return 1;
  if (NO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
