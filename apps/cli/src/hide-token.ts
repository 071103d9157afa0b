import type { CliTelemetry } from "./progress/open-cli-telemetry.ts";

/** The token of a session's port appears in no telemetry, neither as it is nor as HTTP carries it. */
export function hideToken(telemetry: Pick<CliTelemetry, "hide">, token: string): void {
  telemetry.hide(token);
  telemetry.hide(btoa(`${token}:`));
}
