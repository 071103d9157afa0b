import type { DaemonInfo } from "@anyrunner/engine-container";

import { APPLE_GRAMMAR } from "./apple-grammar.ts";
import { cdiGpus, createDockerGrammar, dockerGpus } from "./docker-grammar.ts";
import type { KnownFailure } from "./known-failure.ts";
import { parsePodmanInfo } from "./podman-info.ts";
import type { ContainerRuntime, RuntimeDescription, RuntimeName } from "./runtime.ts";

const NERDCTL_FAILURES: readonly KnownFailure[] = [
  {
    pattern: /rootless containerd not running/i,
    code: "CONNECTION_REFUSED",
    message: "nerdctl finds no containerd of this user",
    hint: "start it: containerd-rootless-setuptool.sh install; or use nerdctl as root",
  },
  {
    pattern: /containerd.*permission denied/i,
    code: "PERMISSION_DENIED",
    message: "nerdctl may not open containerd's socket",
    hint: "use nerdctl as root, or set up a containerd of your own: containerd-rootless-setuptool.sh install",
  },
  {
    pattern: /cannot access containerd socket|failed to dial .*containerd|containerd\.sock.*(no such file|connection refused)/i,
    code: "CONNECTION_REFUSED",
    message: "containerd is not running, or listens elsewhere",
    hint: "start containerd, or let CONTAINERD_ADDRESS point to its socket",
  },
];

/** nerdctl and finch describe themselves in Docker's words. */
const DOCKER_DESCRIPTION: RuntimeDescription = {
  args: ["info", "--format", "{{json .}}"],
  // Where its volumes lie it doesn't say.
  parse: (stdout) => ({ ...(JSON.parse(stdout) as DaemonInfo), DockerRootDir: undefined }),
  bridges: /^(nerdctl\d|br-)/,
};

/** Every runtime, in the order in which `container://` and `image://` try them after Docker, but for the place of Podman (see the manifest). */
export const RUNTIMES: Readonly<Record<RuntimeName, ContainerRuntime>> = {
  apple: {
    name: "apple",
    title: "Apple container",
    command: "container",
    schemes: { container: ["container+apple", "container"], image: ["image+apple", "image"] },
    // The first one whose machines can be given every capability.
    minimumVersion: "1.0.0",
    platform: { name: "darwin", title: "macOS" },
    install: "get Apple's container from https://github.com/apple/container/releases (macOS 26 on Apple silicon)",
    status: () => ({ args: ["system", "status"] }),
    grammar: APPLE_GRAMMAR,
    failures: [
      {
        pattern: /apiserver is not running|XPC connection error|connection invalid|system start/i,
        code: "CONNECTION_REFUSED",
        message: "the services of Apple container are not running",
        hint: "start them: container system start",
      },
    ],
  },
  podman: {
    name: "podman",
    title: "Podman",
    command: "podman",
    schemes: { container: ["podman-container", "container+podman", "container"], image: ["podman-image", "image+podman", "image"] },
    minimumVersion: "3.4.0",
    install: "install podman: https://podman.io/docs/installation",
    place: {
      option: { name: "connection", type: "string", help: "Podman connection whose containers are meant. Default: as podman chooses." },
      flag: "--connection",
    },
    status: () => ({ args: ["version"] }),
    description: { args: ["info", "--format", "json"], parse: parsePodmanInfo, bridges: /^(podman\d|cni-podman)/ },
    grammar: createDockerGrammar({ gpus: cdiGpus, hostName: "host.containers.internal", copiesToStopped: true }),
    failures: [
      {
        pattern: /service destination not found|no such connection/i,
        code: "INVALID_CONFIG",
        message: "podman has no such connection",
        hint: "`podman system connection list` lists them",
      },
      {
        pattern: /podman machine init/i,
        code: "CONNECTION_REFUSED",
        message: "podman's machine is not running, or there is none",
        hint: "start it: podman machine start; a new one: podman machine init --now",
      },
      {
        pattern: /cannot connect to podman|unable to connect to podman/i,
        code: "CONNECTION_REFUSED",
        message: "podman's service does not answer",
        hint: "start it (podman machine start, or podman system service there), or see `podman system connection list`",
      },
      {
        pattern: /no subuid ranges|newuidmap|cannot re-exec process|cannot set up namespace/i,
        code: "PERMISSION_DENIED",
        message: "podman can't make containers for this user",
        hint: "give the user ids: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER; then podman system migrate",
      },
    ],
  },
  finch: {
    name: "finch",
    title: "Finch",
    command: "finch",
    schemes: { container: ["container+finch", "container"], image: ["image+finch", "image"] },
    minimumVersion: "1.0.0",
    install: "get finch from https://runfinch.com",
    // Other commands start the virtual machine since 1.5; on Linux there is none.
    status: (platform) => (platform === "linux" ? { args: ["version"] } : { args: ["vm", "status"], expected: /^running$/im, first: true }),
    description: DOCKER_DESCRIPTION,
    grammar: createDockerGrammar({ gpus: dockerGpus }),
    failures: [
      {
        pattern: /^nonexistent$|instance "\S+" does not exist/im,
        code: "CONNECTION_REFUSED",
        message: "finch has no virtual machine yet",
        hint: "make it: finch vm init",
      },
      {
        pattern: /^stopped$|instance "\S+" is stopped/im,
        code: "CONNECTION_REFUSED",
        message: "finch's virtual machine is stopped",
        hint: "start it: finch vm start",
      },
      ...NERDCTL_FAILURES,
    ],
  },
  nerdctl: {
    name: "nerdctl",
    title: "nerdctl",
    command: "nerdctl",
    schemes: { container: ["nerdctl-container", "container+nerdctl", "container"], image: ["image+nerdctl", "image"] },
    minimumVersion: "1.0.0",
    install: "install nerdctl: https://github.com/containerd/nerdctl/releases",
    place: { option: { name: "namespace", type: "string", help: "containerd namespace of the containers. Default: as nerdctl chooses." }, flag: "--namespace" },
    status: () => ({ args: ["version"] }),
    description: DOCKER_DESCRIPTION,
    grammar: createDockerGrammar({ gpus: dockerGpus }),
    failures: NERDCTL_FAILURES,
  },
};
