/** Go's `strings.TrimSpace`. Unlike JavaScript's `trim`, it leaves a byte order mark, and takes U+0085. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text[start]!)) start++;
  while (end > start && isSpace(text[end - 1]!)) end--;
  return text.slice(start, end);
}

function isSpace(character: string): boolean {
  return character !== "\ufeff" && (character === "\u0085" || character.trim() === "");
}
