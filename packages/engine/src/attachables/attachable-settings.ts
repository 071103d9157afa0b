import type { ImageStore } from "./image-store.ts";
import type { ClientPipe } from "./pipe.ts";
import type { ClientPrompt } from "./prompt.ts";
import type { ClientTerminal } from "./terminal.ts";

/** What the engine may ask of this machine, and how it is answered. */
export interface AttachableSettings {
  /** Environment for `env://` secrets and for the programs of `cmd://`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The directory that relative paths start from, absolute. */
  readonly cwd: string;
  /** What a leading `~` stands for. Default: the user's home. */
  readonly home?: string | undefined;
  /** Registry credentials; undefined for "go anonymously". Default: none for any host. */
  readonly credentials?:
    | ((host: string, options: { readonly signal: AbortSignal }) => Promise<{ readonly username: string; readonly secret: string } | undefined>)
    | undefined;
  /** Told each secret, password of a registry and password of git before the engine gets it, so that it can be hidden elsewhere. */
  readonly onSecret?: ((value: string) => void) | undefined;
  /** Told when files begin to move between this machine and the engine; what it returns is called when they have. */
  readonly onTransfer?: (() => () => void) | undefined;
  /** Whether ignored files are listed with a mark (engines from 0.19.11) or left out. */
  readonly gitignore: "mark" | "filter";
  /** Where shells of containers appear. Default: none, so that a pipeline that opens one fails. */
  readonly terminal?: ClientTerminal | undefined;
  /** How the engine's questions are answered. Default: they are not taken. */
  readonly prompt?: ClientPrompt | undefined;
  /** Streams for a program of the engine to talk through. Default: none. */
  readonly pipe?: ClientPipe | undefined;
  /** The container engine that images are exported to and imported from. Default: none. */
  readonly imageStore?: ImageStore | undefined;
}
