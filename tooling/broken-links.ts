import path from "node:path";

/**
 * The links of a Markdown text that lead nowhere. `file` is where the text is; `read` gives the text of a file of the repository,
 * an empty string for what is no Markdown, `undefined` for what does not exist.
 */
export function brokenLinks(file: string, text: string, read: (file: string) => string | undefined): readonly string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, "").replaceAll(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? "")
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [target = "", heading] = link.split("#");
      const content = target === "" ? text : read(path.posix.normalize(path.posix.join(path.posix.dirname(file), target)));
      return content === undefined || (heading !== undefined && !headingsOf(content).has(heading));
    });
}

/** The anchors that a forge makes of headings: lower case, words joined by hyphens. */
function headingsOf(text: string): ReadonlySet<string> {
  const headings = text.replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ (.+)$/gm);
  return new Set([...headings].map((match) => slug(match[1] ?? "")));
}

function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");
}
