import type { CheckedRecipe } from "../check-recipe.ts";
import type { SourceImage } from "../recipe.ts";
import { assignments, execForm } from "./instructions.ts";

/** What an engine calls: of Debian's and Ubuntu's names. */
const NEEDED_PACKAGES = [
  "ca-certificates",
  "dnsmasq-base",
  "e2fsprogs",
  "fuse3",
  "git",
  "iptables",
  "nftables",
  "openssh-client",
  "pigz",
  "ripgrep",
  "sqlite3",
  "sshfs",
  "xz-utils",
];

/** One set, each of them in the same version. */
const TOOLKIT_PACKAGES = ["nvidia-container-toolkit", "nvidia-container-toolkit-base", "libnvidia-container-tools", "libnvidia-container1"];
const TOOLKIT_SOURCE = "https://nvidia.github.io/libnvidia-container";

/** The engine's programs, which are static, on another base; with the variables and the entrypoint that the engine's image has. */
export function rebaseStages(recipe: CheckedRecipe, from: string, source: SourceImage): readonly string[] {
  const carried = Object.entries(source.env).filter(([name]) => /^(_EXPERIMENTAL_)?DAGGER_/.test(name));
  return [
    `FROM ${from} AS engine`,
    `FROM ${recipe.baseImage}`,
    "USER 0",
    ...(recipe.installer === "apt" ? installs(recipe) : []),
    "COPY --from=engine /usr/local/bin/ /usr/local/bin/",
    "COPY --from=engine /opt/cni/ /opt/cni/",
    "COPY --from=engine /usr/bin/buildctl /usr/bin/buildctl",
    "COPY --from=engine /usr/local/share/dagger/ /usr/local/share/dagger/",
    "COPY --from=engine /etc/dagger/ /etc/dagger/",
    LINKS,
    ...assignments("ENV", Object.fromEntries(carried)),
    `ENTRYPOINT ${execForm(source.entrypoint)}`,
  ];
}

/** The engine looks for the programs of iptables in /usr/bin, where its own distribution has them. */
const LINKS = [
  "RUN ln -sf buildctl /usr/bin/dial-stdio",
  "mkdir -p /var/lib/dagger /usr/local/share/ca-certificates",
  "for name in xtables-legacy-multi xtables-nft-multi; do [ -e /usr/bin/$name ] || ln -s /usr/sbin/$name /usr/bin/$name; done",
].join(" && \\\n    ");

function installs({ packages, gpu, toolkitVersion }: CheckedRecipe): readonly string[] {
  const names = [...new Set([...NEEDED_PACKAGES, ...(gpu ? ["curl", "gnupg"] : []), ...packages.map(({ name }) => name)])].toSorted();
  const version = toolkitVersion === undefined ? "" : `=${toolkitVersion}`;
  const toolkit = [
    `curl -fsSL ${TOOLKIT_SOURCE}/gpgkey | gpg --dearmor -o /usr/share/keyrings/nvidia.gpg`,
    `curl -fsSL ${TOOLKIT_SOURCE}/stable/deb/nvidia-container-toolkit.list | sed 's#deb https://#deb [signed-by=/usr/share/keyrings/nvidia.gpg] https://#' > /etc/apt/sources.list.d/nvidia.list`,
    "apt-get update",
    `apt-get install -y --no-install-recommends ${TOOLKIT_PACKAGES.map((name) => `${name}${version}`).join(" ")}`,
  ];
  const commands = [
    "export DEBIAN_FRONTEND=noninteractive",
    "apt-get update",
    `apt-get install -y --no-install-recommends ${names.join(" ")}`,
    ...(gpu ? toolkit : []),
    "rm -rf /var/lib/apt/lists/*",
  ];
  return [`RUN ${commands.join(" && \\\n    ")}`];
}
