/** How ssh is run. */
export interface SshSettings {
  /** Read instead of the user's and the system's ssh configuration. */
  readonly configFile?: string | undefined;
  /** The environment of ssh: SSH_AUTH_SOCK and the like. Default: that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** How long connecting and logging in may take, in ms. Default 20,000. */
  readonly connectBudgetMs?: number | undefined;
}
