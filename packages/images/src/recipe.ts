import type { JsonObject } from "@anyrunner/core";

/**
 * - `overlay`: certificates, configuration and files on top of the engine's image, which stays as it is.
 * - `packages`: chosen files of packages, too, installed in a stage of their own: the engine's image has no package database.
 * - `rebase`: the engine's programs on a base image of one's own.
 */
export type ImageStrategy = "overlay" | "packages" | "rebase";

/** What an engine's image shall have. */
export interface ImageRecipe {
  /** A version, `0.21.8`, whose official image is meant; or the complete name of an engine's image. */
  readonly engine: string;
  /** An image for NVIDIA GPUs. Default false. Never run against a real GPU. */
  readonly gpu?: boolean | undefined;
  /** Default: `rebase` with a base image, else `packages` with packages, else `overlay`. */
  readonly strategy?: ImageStrategy | undefined;
  /**
   * What `rebase` builds on: an image of Debian or Ubuntu, or any with what an engine needs where `installer` is `none`. For `packages`: where they
   * are installed, by apk; default: Wolfi's.
   */
  readonly baseImage?: string | undefined;
  /** How `rebase` gets what an engine needs: `apt`, the default, installs it; with `none` the base image has it. */
  readonly installer?: "apt" | "none" | undefined;
  /** For `packages`: packages of Wolfi with the files to take; for `rebase`: further packages of apt. */
  readonly packages?: readonly ImagePackage[] | undefined;
  /** PEM, any number of certificates each. */
  readonly caCertificates?: readonly NamedText[] | undefined;
  /** Merged into the image's own engine.json: the list of mirrors of a registry grows, `null` removes. */
  readonly engineJson?: JsonObject | undefined;
  /** In the place of the image's engine.toml. */
  readonly engineToml?: string | undefined;
  readonly files?: readonly ImageFile[] | undefined;
  /** Everybody who has the image can read them: no secrets. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** `linux/amd64` or `linux/arm64`. Default: the daemon's. */
  readonly platform?: string | undefined;
  /** Of NVIDIA's packages for apt, such as `1.19.1-1`. Default: the newest. */
  readonly toolkitVersion?: string | undefined;
}

export interface ImagePackage {
  readonly name: string;
  /** Absolute paths or patterns; the libraries that they link to come along. Only for `packages`, which needs them. */
  readonly files?: readonly string[] | undefined;
}

export interface NamedText {
  /** For messages: where the text came from. */
  readonly name: string;
  readonly text: string;
}

export interface ImageFile {
  /** Absolute. */
  readonly target: string;
  readonly contents: Buffer;
  /** Default 0755. */
  readonly mode?: number | undefined;
}

/** What is known of an engine's image that others are made of. */
export interface SourceImage {
  readonly reference: string;
  /** `sha256:…` of its manifest; absent for an image that came from no registry. */
  readonly digest?: string | undefined;
  /** `linux/amd64` */
  readonly platform: string;
  readonly entrypoint: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly engineJson: JsonObject;
}
