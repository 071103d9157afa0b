import { hostSettings } from "./host-settings.ts";
import { requireControlSockets } from "./ssh-connections.ts";
import { sshError } from "./ssh-error.ts";
import type { SshHost } from "./ssh-host.ts";
import type { SshSettings } from "./ssh-settings.ts";

/** Asks ssh what it would do, without connecting: fails with NOT_FOUND (no ssh), UNSUPPORTED, INVALID_CONFIG, TIMEOUT, ABORTED. Gives `host:port`. */
export async function checkSsh(host: SshHost, settings: SshSettings, options: { readonly signal?: AbortSignal | undefined }): Promise<string> {
  requireControlSockets();
  const { values, result } = await hostSettings(host, settings, options);
  if (result.exitCode !== 0) throw sshError({ host, exitCode: result.exitCode, stderr: result.stderr });
  return `${values.get("hostname") ?? host.host}:${values.get("port") ?? host.port ?? 22}`;
}
