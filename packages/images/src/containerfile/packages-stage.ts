import type { CheckedRecipe } from "../check-recipe.ts";
import type { ImagePackage } from "../recipe.ts";

/**
 * What hands GPUs to containers: the hook that the engine calls, the program that the hook calls, and its libraries, one of which is opened
 * at run time. No driver: that comes from the machine.
 */
const GPU_PACKAGES: readonly ImagePackage[] = [
  { name: "nvidia-container-toolkit-nvidia-container-runtime-hook", files: ["/usr/bin/nvidia-container-runtime-hook"] },
  { name: "libnvidia-container", files: ["/usr/bin/nvidia-container-cli", "/usr/lib/libnvidia-container*.so*"] },
];

/**
 * Installs packages and puts the chosen files in `/out`, with the libraries that they link to. The C library stays behind: that of the
 * engine's image has to serve.
 */
export function packagesStage({ packages, gpu, baseImage }: CheckedRecipe): readonly string[] {
  const all = [...(gpu ? GPU_PACKAGES : []), ...packages];
  const files = [...new Set(all.flatMap((one) => one.files ?? []))];
  return [
    `FROM ${baseImage} AS packages`,
    `RUN apk add --no-cache ${[...new Set(all.map(({ name }) => name))].join(" ")}`,
    [
      `RUN set -eu; mkdir /out; ls ${files.join(" ")} > /tmp/files`,
      `loader="$(ls /lib64/ld-linux-*.so.* /lib/ld-linux-*.so.* 2> /dev/null | head -n 1)"`,
      `if [ -n "$loader" ]; then for file in $(cat /tmp/files); do "$loader" --list "$file" 2> /dev/null | grep -o '/[^ )]*' || true; done >> /tmp/files; fi`,
      String.raw`grep -Ev '/(ld-linux|libc|libm|libdl|librt|libpthread|libresolv)[-.][^/]*$' /tmp/files | sort -u > /tmp/chosen`,
      `while read -r file; do folder="/out$(readlink -f "$(dirname "$file")")"; mkdir -p "$folder"; cp -L "$file" "$folder/"; done < /tmp/chosen`,
    ].join("; \\\n    "),
  ];
}
