/** Replaces the content of each fenced block that follows a line `<!-- file: PATH -->` by what `read` gives for the path. */
export function fillSnippets(page: string, read: (file: string) => string): string {
  return page.replaceAll(
    /^(<!-- file: (\S+) -->\n\n```\w*\n)[\s\S]*?^(```)$/gm,
    (_whole, head: string, file: string, tail: string) => `${head}${read(file)}${tail}`,
  );
}
