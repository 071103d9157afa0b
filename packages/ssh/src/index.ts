export type { SshDial } from "./shared-connection.ts";
export { createSshConnections, type SshConnections, type SshConnectionsSettings } from "./ssh-connections.ts";
export type { SshStream } from "./ssh-stream.ts";
export { formatSshHost, type SshHost } from "./ssh-host.ts";
export { parseSshHost, type SshHostProblem } from "./parse-ssh-host.ts";
