/** What a script saw in a container of an image. */
export interface SeenInImage {
  /** Paths of programs by their names; those that aren't there are absent. */
  readonly programs: Readonly<Record<string, string>>;
  /** First line of what programs said of their version, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Certificates of added authorities: file, and how many it holds. */
  readonly certificates: readonly { readonly file: string; readonly count: number }[];
  /** Paths that are there, of those that were asked for. */
  readonly paths: readonly string[];
}

export const TOOLKIT_CONFIG = "/etc/nvidia-container-runtime/config.toml";
/** The engine calls it by this path. */
export const RUNTIME_HOOK = "/usr/bin/nvidia-container-runtime-hook";
export const LDCONFIG_PATHS = ["/sbin/ldconfig", "/sbin/ldconfig.real"] as const;
const CERTIFICATES = "/usr/local/share/ca-certificates";
const LAST_LINE = "end";

/** For any POSIX shell, busybox's too: lines of `kind`, `name` and `value`, separated by tabs. */
export const SEEN_SCRIPT = `
say() { printf '%s\\t%s\\t%s\\n' "$1" "$2" "$3"; }
for name in dagger-entrypoint.sh dagger-engine buildctl runc iptables git nvidia-container-cli; do
  path="$(command -v "$name")" && say program "$name" "$path"
done
for name in dagger-engine nvidia-container-cli; do
  command -v "$name" > /dev/null && say version "$name" "$("$name" --version 2>&1 < /dev/null | head -n 1)"
done
for path in ${[RUNTIME_HOOK, ...LDCONFIG_PATHS].join(" ")}; do
  [ -x "$path" ] && say path "$path" ""
done
for path in /usr/lib/libnvidia-ml.so* /usr/lib/libcuda.so* /usr/lib/*/libnvidia-ml.so* /usr/lib/*/libcuda.so*; do
  [ -e "$path" ] && say path "$path" ""
done
for path in ${CERTIFICATES}/*; do
  [ -f "$path" ] && say certificate "$path" "$(grep -c 'BEGIN CERTIFICATE' "$path")"
done
say ${LAST_LINE} "" ""
`;

/** Reads the script's lines; `undefined` when it didn't come to its end. */
export function parseSeen(output: string): SeenInImage | undefined {
  const lines = output.split("\n").map((line) => line.split("\t"));
  if (!lines.some(([kind]) => kind === LAST_LINE)) return undefined;
  const of = (wanted: string) => lines.filter(([kind]) => kind === wanted).map(([, name = "", value = ""]) => [name, value] as const);
  return {
    programs: Object.fromEntries(of("program")),
    versions: Object.fromEntries(of("version")),
    certificates: of("certificate").map(([file, count]) => ({ file, count: Number(count) })),
    paths: of("path").map(([path]) => path),
  };
}
