/**
 * Variables that a container CLI would take for itself: where it is found, where its files and its daemon are. They hold no
 * secrets, so these go to the container by argument.
 */
const STEERS_THE_CLI =
  /^(PATH|HOME|USER|TMPDIR|TMP|TEMP|LD_.*|DYLD_.*|XDG_.*|CONTAINERS_.*|CONTAINER_(HOST|CONNECTION|SSHKEY|PASSPHRASE)|CONTAINERD_.*|NERDCTL_.*|FINCH_.*|LIMA_.*|CNI_.*|NETAVARK_.*|DOCKER_(HOST|CONFIG|CONTEXT)|REGISTRY_AUTH_FILE|STORAGE_.*|_CONTAINERS_.*|NODE_OPTIONS)$/;

export interface SplitEnvironment {
  /** `-e NAME`, or `-e NAME=VALUE` for what would steer the CLI. */
  readonly args: readonly string[];
  /** What the CLI's own environment needs for the bare names. */
  readonly env: Readonly<Record<string, string>>;
}

/** Hands variables to a container through the environment of its CLI, where no other user of the machine reads them. */
export function splitEnvironment(variables: Readonly<Record<string, string>>): SplitEnvironment {
  const args: string[] = [];
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    const steers = STEERS_THE_CLI.test(name);
    args.push("-e", steers ? `${name}=${value}` : name);
    if (!steers) env[name] = value;
  }
  return { args, env };
}
