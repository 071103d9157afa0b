type StyleName = "dim" | "red" | "green" | "blue" | "yellow" | "bold";

/** How a tree is drawn: with which signs, and in colour or not. */
export interface TreeStyle {
  readonly paint: (name: StyleName, text: string) => string;
  readonly spinner: readonly string[];
  readonly signs: Readonly<Record<"done" | "cached" | "canceled" | "failed" | "log" | "more" | "rule", string>>;
}

const CODES: Readonly<Record<StyleName, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34 };

const UNICODE: Omit<TreeStyle, "paint"> = {
  spinner: ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
  signs: { done: "✓", cached: "✓", canceled: "-", failed: "✗", log: "│", more: "…", rule: "─" },
};

const ASCII: Omit<TreeStyle, "paint"> = {
  spinner: ["|", "/", "-", "\\"],
  signs: { done: "+", cached: "+", canceled: "-", failed: "x", log: "|", more: "...", rule: "-" },
};

/** Colour unless `NO_COLOR` says no; signs beyond ASCII where the locale has them. */
export function treeStyle(env: Readonly<Record<string, string | undefined>>, platform: NodeJS.Platform): TreeStyle {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  const isUnicode = platform === "win32" || platform === "darwin" || /utf-?8/i.test(locale);
  const isColoured = !env["NO_COLOR"];
  return {
    ...(isUnicode ? UNICODE : ASCII),
    paint: (name, text) => (isColoured && text !== "" ? `\u001b[${CODES[name]}m${text}\u001b[0m` : text),
  };
}
