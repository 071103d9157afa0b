import { runProgram } from "@anyrunner/exec";

import { CHANNEL_LOG_OPTION } from "./channel-log.ts";
import { hostSettings } from "./host-settings.ts";
import type { SshHost } from "./ssh-host.ts";
import type { SshSettings } from "./ssh-settings.ts";

const VERSION_BUDGET_MS = 10_000;

/** What ssh is told beside the destination: a control socket, no questions, nothing of the terminal's. */
export async function masterArguments(control: string, host: SshHost, settings: SshSettings): Promise<readonly string[]> {
  const { configFile, env } = settings;
  const [logsVerbose, takesAnyKey] = await Promise.all([knowsLogVerbose(env), takesChangedKeys(host, settings)]);
  const options = [
    "BatchMode=yes",
    "ControlPersist=no",
    // What the user's configuration adds for a terminal is not wanted here.
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "LogLevel=INFO",
    // A network that is cut is noticed after half a minute.
    "ServerAliveInterval=5",
    "ServerAliveCountMax=4",
    ...(logsVerbose ? [CHANNEL_LOG_OPTION] : []),
    ...(takesAnyKey ? ["StrictHostKeyChecking=accept-new"] : []),
  ];
  return [
    ...(configFile === undefined ? [] : ["-F", configFile]),
    "-M",
    "-S",
    control.replaceAll("%", "%%"),
    "-N",
    "-T",
    ...options.flatMap((option) => ["-o", option]),
  ];
}

/** Who lets ssh take new keys unasked gets that; a key that has changed is refused whatever the configuration says. */
async function takesChangedKeys(host: SshHost, settings: SshSettings): Promise<boolean> {
  const { values } = await hostSettings(host, settings);
  return /^(no|off|false)$/.test(values.get("stricthostkeychecking") ?? "");
}

/** An option that ssh doesn't know is an error to it, and making it ignore some would undo the user's own IgnoreUnknown. */
async function knowsLogVerbose(env: SshSettings["env"]): Promise<boolean> {
  const { stderr } = await runProgram({ command: "ssh", args: ["-V"], env, timeoutMs: VERSION_BUDGET_MS });
  const [, major, minor] = /OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)/.exec(stderr) ?? [];
  return Number(major) * 100 + Number(minor) >= 805;
}
