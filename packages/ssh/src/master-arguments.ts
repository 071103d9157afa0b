import { CHANNEL_LOG_OPTION } from "./channel-log.ts";
import type { HostSettings } from "./host-settings.ts";
import type { SshSettings } from "./ssh-settings.ts";

/** The first that knows LogVerbose: an option that ssh doesn't know is an error to it, and making it ignore some would undo the user's own IgnoreUnknown. */
const LOG_VERBOSE_VERSION = 805;

/** What ssh is told beside the destination: a control socket, no questions, nothing of the terminal's. */
export function masterArguments(control: string, { configFile }: SshSettings, { values, version }: HostSettings): readonly string[] {
  // Who lets ssh take new keys unasked gets that; a key that has changed is refused whatever the configuration says.
  const takesAnyKey = /^(no|off|false)$/.test(values.get("stricthostkeychecking") ?? "");
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
    ...(version >= LOG_VERBOSE_VERSION ? [CHANNEL_LOG_OPTION] : []),
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
