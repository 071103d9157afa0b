/** Files of authorities that an engine.json names for its registries; none where it can't be read. */
export function authorityPaths(engineJson: string | undefined): readonly string[] {
  try {
    const { registries = {} } = JSON.parse(engineJson ?? "{}") as { readonly registries?: Readonly<Record<string, { readonly ca?: unknown }>> };
    return Object.values(registries)
      .flatMap(({ ca }) => ca)
      .filter((path) => typeof path === "string");
  } catch {
    return [];
  }
}
