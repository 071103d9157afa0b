// Made by tooling/generate-drivers.ts from the "driver" key of each driver's manifest; change it there.

export interface BuiltInDriver {
  readonly name: string;
  readonly package: string;
  readonly version: string;
  readonly schemes: readonly string[];
  /** A literal import, so that bundlers see it. */
  readonly load: () => Promise<unknown>;
}

export const BUILT_IN_DRIVERS: readonly BuiltInDriver[] = [
  {
    name: "docker",
    package: "@anyrunner/driver-docker",
    version: "0.0.0",
    schemes: ["docker-container", "container+docker", "docker-image", "image+docker", "container", "image"],
    load: () => import("@anyrunner/driver-docker"),
  },
  {
    name: "embedded",
    package: "@anyrunner/driver-embedded",
    version: "0.0.0",
    schemes: ["embedded"],
    load: () => import("@anyrunner/driver-embedded"),
  },
  {
    name: "apple",
    package: "@anyrunner/driver-podman",
    version: "0.0.0",
    schemes: ["container+apple", "image+apple", "container", "image"],
    load: () => import("@anyrunner/driver-podman/apple"),
  },
  {
    name: "podman",
    package: "@anyrunner/driver-podman",
    version: "0.0.0",
    schemes: ["podman-container", "container+podman", "podman-image", "image+podman", "container", "image"],
    load: () => import("@anyrunner/driver-podman"),
  },
  {
    name: "finch",
    package: "@anyrunner/driver-podman",
    version: "0.0.0",
    schemes: ["container+finch", "image+finch", "container", "image"],
    load: () => import("@anyrunner/driver-podman/finch"),
  },
  {
    name: "nerdctl",
    package: "@anyrunner/driver-podman",
    version: "0.0.0",
    schemes: ["nerdctl-container", "container+nerdctl", "image+nerdctl", "container", "image"],
    load: () => import("@anyrunner/driver-podman/nerdctl"),
  },
  {
    name: "socket",
    package: "@anyrunner/driver-socket",
    version: "0.0.0",
    schemes: ["unix", "tcp", "tls", "npipe"],
    load: () => import("@anyrunner/driver-socket"),
  },
  {
    name: "ssh",
    package: "@anyrunner/driver-ssh",
    version: "0.0.0",
    schemes: ["ssh"],
    load: () => import("@anyrunner/driver-ssh"),
  },
];

/** Drivers that are installed on first use: too large to come along. */
export const ON_DEMAND_DRIVERS: readonly Omit<BuiltInDriver, "load" | "version">[] = [
  {
    name: "kubernetes",
    package: "@anyrunner/driver-kubernetes",
    schemes: ["kube-pod", "kube-image"],
  },
];
