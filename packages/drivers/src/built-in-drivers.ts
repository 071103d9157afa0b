// Made by tooling/generate-drivers.ts from the "driver" key of each driver's manifest; change it there.

export interface BuiltInDriver {
  readonly name: string;
  readonly package: string;
  readonly schemes: readonly string[];
  /** A literal import, so that bundlers see it. */
  readonly load: () => Promise<unknown>;
}

export const BUILT_IN_DRIVERS: readonly BuiltInDriver[] = [
  {
    name: "docker",
    package: "@anyrunner/driver-docker",
    schemes: ["docker-container", "container+docker", "docker-image", "image+docker", "container", "image"],
    load: () => import("@anyrunner/driver-docker"),
  },
  {
    name: "embedded",
    package: "@anyrunner/driver-embedded",
    schemes: ["embedded"],
    load: () => import("@anyrunner/driver-embedded"),
  },
  {
    name: "socket",
    package: "@anyrunner/driver-socket",
    schemes: ["unix", "tcp"],
    load: () => import("@anyrunner/driver-socket"),
  },
];
