import { BadArgument } from "../schema/api-error.ts";

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", "x86-64": "amd64", aarch64: "arm64", armhf: "arm/v7", armel: "arm/v6", i386: "386" };

/** `os/architecture[/variant]` in containerd's normal form. Fails with `BadArgument`. */
export function parsePlatform(text: string): string {
  const [os = "", architecture, variant, ...rest] = text.toLowerCase().split("/");
  if (os === "" || rest.length > 0 || !/^[a-z0-9_-]+$/.test(os) || architecture === undefined) {
    throw new BadArgument(
      `parse selections: parse field "container": init arg "platform" value: ${JSON.stringify(text)}: cannot parse platform specifier: invalid argument`,
    );
  }
  const normal = ARCHITECTURES[architecture] ?? architecture;
  return [os, normal, ...(variant === undefined || (normal === "arm64" && variant === "v8") ? [] : [variant])].join("/");
}
