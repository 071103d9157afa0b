import type { OptionSpec, OptionValues } from "@anyrunner/core";

/**
 * The parameters of every `…-image://` scheme. Up to `env` they are those of the official client (engine protocol 1.5), with
 * two other defaults: `cleanup` is off, since the official one removes engines that others use, and `port` is published on this
 * machine alone, since whoever reaches it is root.
 */
export const ENGINE_IMAGE_OPTIONS = [
  { name: "container", type: "string", help: "Name of the container. Default: anyrunner-engine- and the image's tag or digest." },
  { name: "volume", type: "string", help: "Named volume of the engine's state and cache. Default: named like the container." },
  { name: "cleanup", type: "boolean", default: false, help: "Remove our own other engines that nobody uses; their volumes stay." },
  {
    name: "keep",
    type: "string",
    help: "How many of our engines of this image's name are kept, the last used ones; others that nobody uses are removed when one is started; volumes stay.",
  },
  { name: "idle", type: "string", help: "Stop the engine when nobody has used it for that long, such as 30m or 8h; its volume stays. Default: never." },
  { name: "port", type: "string", help: "Publish the engine by TCP: PORT for this machine, ADDRESS:PORT for others. There is no authentication." },
  { name: "cpus", type: "string", help: "How many CPUs the engine may use, such as 2 or 1.5." },
  { name: "memory", type: "string", help: "How much memory the engine may use, such as 4g or 512m." },
  {
    name: "env",
    type: "string",
    repeatable: true,
    secret: true,
    secretAfter: "=",
    help: "Variable of the engine: NAME=VALUE, or NAME for the value it has here.",
  },
  { name: "pull", type: "string", choices: ["missing", "always", "never"], default: "missing", help: "When a new engine's image is pulled." },
  { name: "network", type: "string", help: "Network that the engine's container joins." },
  { name: "mount", type: "string", repeatable: true, help: "SOURCE:TARGET or SOURCE:TARGET:ro; SOURCE is a path or a named volume." },
  { name: "label", type: "string", repeatable: true, help: "Label of the container: NAME=VALUE." },
  { name: "gpus", type: "string", help: "GPUs that the engine may use: all, a number, or ids separated by commas." },
  { name: "platform", type: "string", help: "Platform of the image, such as linux/amd64." },
  { name: "config", type: "string", help: "An engine.json, or none. Default: dagger/engine.json in the user's configuration folder." },
  { name: "ca", type: "string", help: "Folder or file of CA certificates, or none. Default: dagger/ca-certificates in the user's configuration folder." },
  {
    name: "proxy",
    type: "string",
    secret: true,
    secretAfter: "://",
    help: "HTTP proxy of the engine and its pipelines, or env for the one of this environment.",
  },
  { name: "version", type: "string", help: "Version for an image without a tag: auto for the project's, or X.Y.Z." },
] as const satisfies readonly OptionSpec[];

export type EngineImageValues = OptionValues<typeof ENGINE_IMAGE_OPTIONS>;
