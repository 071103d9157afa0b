/** Variables in `text` replaced as Go's `os.Expand` does: `$NAME`, `${NAME}`, no escapes, unknown names are empty. */
export function expandVariables(text: string, valueOf: (name: string) => string): string {
  let result = "";
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== "$" || at + 1 === text.length) {
      result += text[at];
      continue;
    }
    const { name, width } = shellName(text.slice(at + 1));
    if (name !== "") result += valueOf(name);
    else if (width === 0) result += "$";
    at += width;
  }
  return result;
}

const SPECIAL = /^[*#$@!?\-0-9]$/;

function shellName(text: string): { readonly name: string; readonly width: number } {
  const first = text.charAt(0);
  if (first === "{") {
    if (SPECIAL.test(text.charAt(1)) && text[2] === "}") return { name: text.charAt(1), width: 3 };
    const end = text.indexOf("}");
    if (end === 1) return { name: "", width: 2 };
    return end < 0 ? { name: "", width: 1 } : { name: text.slice(1, end), width: end + 1 };
  }
  if (SPECIAL.test(first)) return { name: first, width: 1 };
  const name = /^[A-Za-z0-9_]*/.exec(text)?.[0] ?? "";
  return { name, width: name.length };
}
