import { expect, test } from "vitest";

import { checkRecipe } from "./check-recipe.ts";
import { needsSource, planImage } from "./plan-image.ts";
import type { ImageRecipe, SourceImage } from "./recipe.ts";
import { AUTHORITY } from "./test-certificates.ts";

const NOW = Date.parse("2030-01-01");
const DIGEST = `sha256:${"0".repeat(64)}`;
const SOURCE: SourceImage = {
  reference: "registry.dagger.io/engine:v0.21.8",
  digest: DIGEST,
  platform: "linux/amd64",
  entrypoint: ["dagger-entrypoint.sh"],
  env: {
    PATH: "/usr/bin",
    DAGGER_GO_SDK_MANIFEST_DIGEST: "sha256:1",
    _EXPERIMENTAL_DAGGER_RUNNER_HOST: "unix:///run/dagger/engine.sock",
    SSL_CERT_DIR: "/etc/ssl/certs",
  },
  engineJson: { registries: { "docker.io": { mirrors: ["mirror.gcr.io"] } } },
};
const plan = (recipe: ImageRecipe, source?: SourceImage) => planImage(checkRecipe(recipe, NOW), source);

test("overlay", () => {
  const { containerfile, files } = plan(
    {
      engine: "0.21.8",
      caCertificates: [{ name: "ca.pem", text: AUTHORITY }],
      engineJson: { registries: { "docker.io": { mirrors: ["mirror.example.com"] } } },
      engineToml: "debug = true\n",
      files: [{ target: "/usr/local/bin/docker-credential-x", contents: Buffer.from("#!") }],
      env: { HTTPS_PROXY: "http://proxy:3128", QUOTED: String.raw`a "b" $C \d` },
      labels: { "org.example.team": "build" },
    },
    SOURCE,
  );
  expect(containerfile).toMatchInlineSnapshot(`
    "# An engine's image by anyrunner: overlay.
    FROM registry.dagger.io/engine:v0.21.8@sha256:0000000000000000000000000000000000000000000000000000000000000000
    COPY ca-certificates/ /usr/local/share/ca-certificates/
    COPY engine/ /etc/dagger/
    COPY files/0 /usr/local/bin/docker-credential-x
    ENV HTTPS_PROXY="http://proxy:3128" \\
        QUOTED="a \\"b\\" \\$C \\\\d"
    LABEL org.example.team="build" \\
        org.opencontainers.image.base.name="registry.dagger.io/engine:v0.21.8" \\
        org.opencontainers.image.base.digest="sha256:0000000000000000000000000000000000000000000000000000000000000000" \\
        dev.anyrunner.image-strategy="overlay"
    "
  `);
  expect(files.map(({ name, mode }) => [name.replace(/[0-9a-f]{8}\.crt$/, "*.crt"), mode])).toEqual([
    ["ca-certificates/example-root-*.crt", undefined],
    ["engine/engine.json", undefined],
    ["engine/engine.toml", undefined],
    ["files/0", 0o755],
  ]);
  expect(JSON.parse(files[1]?.contents.toString() ?? "")).toEqual({ registries: { "docker.io": { mirrors: ["mirror.example.com", "mirror.gcr.io"] } } });
});

test("overlay for GPUs, planned without a daemon", () => {
  const recipe = { engine: "0.21.8", gpu: true };
  expect(needsSource(checkRecipe(recipe))).toBe(false);
  expect(plan(recipe).containerfile).toMatchInlineSnapshot(`
    "# An engine's image by anyrunner: overlay, for NVIDIA GPUs.
    FROM registry.dagger.io/engine:v0.21.8-gpu
    ENV _EXPERIMENTAL_DAGGER_GPU_SUPPORT="1" \\
        NVIDIA_DRIVER_CAPABILITIES="all"
    LABEL org.opencontainers.image.base.name="registry.dagger.io/engine:v0.21.8-gpu" \\
        dev.anyrunner.image-strategy="overlay"
    "
  `);
});

test("packages, for GPUs", () => {
  expect(plan({ engine: "0.21.8", gpu: true, packages: [{ name: "git-lfs", files: ["/usr/bin/git-lfs"] }] }).containerfile).toMatchInlineSnapshot(`
    "# An engine's image by anyrunner: packages, for NVIDIA GPUs.
    FROM cgr.dev/chainguard/wolfi-base:latest AS packages
    RUN apk add --no-cache nvidia-container-toolkit-nvidia-container-runtime-hook libnvidia-container git-lfs
    RUN set -eu; mkdir /out; ls /usr/bin/nvidia-container-runtime-hook /usr/bin/nvidia-container-cli /usr/lib/libnvidia-container*.so* /usr/bin/git-lfs > /tmp/files; \\
        loader="$(ls /lib64/ld-linux-*.so.* /lib/ld-linux-*.so.* 2> /dev/null | head -n 1)"; \\
        if [ -n "$loader" ]; then for file in $(cat /tmp/files); do "$loader" --list "$file" 2> /dev/null | grep -o '/[^ )]*' || true; done >> /tmp/files; fi; \\
        grep -Ev '/(ld-linux|libc|libm|libdl|librt|libpthread|libresolv)[-.][^/]*$' /tmp/files | sort -u > /tmp/chosen; \\
        while read -r file; do folder="/out$(readlink -f "$(dirname "$file")")"; mkdir -p "$folder"; cp -L "$file" "$folder/"; done < /tmp/chosen
    FROM registry.dagger.io/engine:v0.21.8
    COPY --from=packages /out/ /
    ENV _EXPERIMENTAL_DAGGER_GPU_SUPPORT="1" \\
        NVIDIA_DRIVER_CAPABILITIES="all"
    LABEL org.opencontainers.image.base.name="registry.dagger.io/engine:v0.21.8" \\
        dev.anyrunner.image-strategy="packages"
    "
  `);
});

test("rebase, for GPUs", () => {
  const recipe = { engine: "0.21.8", gpu: true, baseImage: "ubuntu:24.04", toolkitVersion: "1.19.1-1", packages: [{ name: "git-lfs" }] };
  expect(plan(recipe, SOURCE).containerfile).toMatchInlineSnapshot(`
    "# An engine's image by anyrunner: rebase, for NVIDIA GPUs.
    FROM registry.dagger.io/engine:v0.21.8@sha256:0000000000000000000000000000000000000000000000000000000000000000 AS engine
    FROM ubuntu:24.04
    USER 0
    RUN export DEBIAN_FRONTEND=noninteractive && \\
        apt-get update && \\
        apt-get install -y --no-install-recommends ca-certificates curl dnsmasq-base e2fsprogs fuse3 git git-lfs gnupg iptables nftables openssh-client pigz ripgrep sqlite3 sshfs xz-utils && \\
        curl -fsSL https://nvidia.github.io/libnvidia-container/gpgkey | gpg --dearmor -o /usr/share/keyrings/nvidia.gpg && \\
        curl -fsSL https://nvidia.github.io/libnvidia-container/stable/deb/nvidia-container-toolkit.list | sed 's#deb https://#deb [signed-by=/usr/share/keyrings/nvidia.gpg] https://#' > /etc/apt/sources.list.d/nvidia.list && \\
        apt-get update && \\
        apt-get install -y --no-install-recommends nvidia-container-toolkit=1.19.1-1 nvidia-container-toolkit-base=1.19.1-1 libnvidia-container-tools=1.19.1-1 libnvidia-container1=1.19.1-1 && \\
        rm -rf /var/lib/apt/lists/*
    COPY --from=engine /usr/local/bin/ /usr/local/bin/
    COPY --from=engine /opt/cni/ /opt/cni/
    COPY --from=engine /usr/bin/buildctl /usr/bin/buildctl
    COPY --from=engine /usr/local/share/dagger/ /usr/local/share/dagger/
    COPY --from=engine /etc/dagger/ /etc/dagger/
    RUN ln -sf buildctl /usr/bin/dial-stdio && \\
        mkdir -p /var/lib/dagger /usr/local/share/ca-certificates && \\
        for name in xtables-legacy-multi xtables-nft-multi; do [ -e /usr/bin/$name ] || ln -s /usr/sbin/$name /usr/bin/$name; done
    ENV DAGGER_GO_SDK_MANIFEST_DIGEST="sha256:1" \\
        _EXPERIMENTAL_DAGGER_RUNNER_HOST="unix:///run/dagger/engine.sock"
    ENTRYPOINT ["dagger-entrypoint.sh"]
    ENV _EXPERIMENTAL_DAGGER_GPU_SUPPORT="1" \\
        NVIDIA_DRIVER_CAPABILITIES="all"
    LABEL org.opencontainers.image.base.name="registry.dagger.io/engine:v0.21.8" \\
        org.opencontainers.image.base.digest="sha256:0000000000000000000000000000000000000000000000000000000000000000" \\
        dev.anyrunner.image-strategy="rebase"
    "
  `);
});

test("rebase on an image that has all", () => {
  expect(plan({ engine: "0.21.8", baseImage: "example.com/base:1", installer: "none" }, SOURCE).containerfile).toMatchInlineSnapshot(`
    "# An engine's image by anyrunner: rebase.
    FROM registry.dagger.io/engine:v0.21.8@sha256:0000000000000000000000000000000000000000000000000000000000000000 AS engine
    FROM example.com/base:1
    USER 0
    COPY --from=engine /usr/local/bin/ /usr/local/bin/
    COPY --from=engine /opt/cni/ /opt/cni/
    COPY --from=engine /usr/bin/buildctl /usr/bin/buildctl
    COPY --from=engine /usr/local/share/dagger/ /usr/local/share/dagger/
    COPY --from=engine /etc/dagger/ /etc/dagger/
    RUN ln -sf buildctl /usr/bin/dial-stdio && \\
        mkdir -p /var/lib/dagger /usr/local/share/ca-certificates && \\
        for name in xtables-legacy-multi xtables-nft-multi; do [ -e /usr/bin/$name ] || ln -s /usr/sbin/$name /usr/bin/$name; done
    ENV DAGGER_GO_SDK_MANIFEST_DIGEST="sha256:1" \\
        _EXPERIMENTAL_DAGGER_RUNNER_HOST="unix:///run/dagger/engine.sock"
    ENTRYPOINT ["dagger-entrypoint.sh"]
    LABEL org.opencontainers.image.base.name="registry.dagger.io/engine:v0.21.8" \\
        org.opencontainers.image.base.digest="sha256:0000000000000000000000000000000000000000000000000000000000000000" \\
        dev.anyrunner.image-strategy="rebase"
    "
  `);
});

test("a strategy that is no rebase leaves the entrypoint alone, and none names devices", () => {
  for (const recipe of [
    { engine: "0.21.8", gpu: true },
    { engine: "0.21.8", gpu: true, strategy: "packages" as const },
  ])
    expect(plan(recipe, SOURCE).containerfile).not.toMatch(/ENTRYPOINT|CMD|NVIDIA_VISIBLE_DEVICES/);
});

test.each<[string, ImageRecipe]>([
  ["a rebase", { engine: "0.21.8", baseImage: "ubuntu:24.04" }],
  ["configuration that is merged", { engine: "0.21.8", engineJson: {} }],
])("%s needs to know the engine's image", (_what, recipe) => {
  expect(needsSource(checkRecipe(recipe, NOW))).toBe(true);
  expect(() => plan(recipe)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
});
