import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { RunnerError } from "@anyrunner/core/driver";

/** A kubeconfig, as far as it is read here; the rest of it is passed on. */
export interface Kubeconfig {
  readonly clusters?: readonly Named<"cluster", ClusterEntry>[];
  readonly users?: readonly Named<"user", UserEntry>[];
  readonly contexts?: readonly Named<"context", ContextEntry>[];
  readonly "current-context"?: string;
}

type Named<Key extends string, Value> = { readonly name: string } & { readonly [K in Key]?: Value };

interface ClusterEntry {
  readonly server?: string;
  readonly "certificate-authority"?: string;
}

interface UserEntry {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly "client-certificate"?: string;
  readonly "client-key"?: string;
  readonly exec?: { readonly command?: string };
}

interface ContextEntry {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}

export interface KubeconfigText {
  readonly text: string;
  readonly file: string;
  /** What relative paths in it are relative to. */
  readonly directory: string;
}

/** One kubeconfig of several, by kubectl's rules: the first file that has a name, or a current context, wins. Fails with INVALID_CONFIG. */
export async function mergeKubeconfigs(texts: readonly KubeconfigText[]): Promise<Kubeconfig> {
  const { parse } = await import("yaml");
  const configs = texts.map((text) => readOne(text, parse));
  const current = configs.map((config) => config["current-context"]).find((name) => name);
  return {
    clusters: firstOfEachName(configs.flatMap(({ clusters }) => clusters ?? [])),
    users: firstOfEachName(configs.flatMap(({ users }) => users ?? [])),
    contexts: firstOfEachName(configs.flatMap(({ contexts }) => contexts ?? [])),
    ...(current !== undefined && { "current-context": current }),
  };
}

/** The part of `config` that its current context uses, with the user's token read from its file. Fails with INVALID_CONFIG. */
export function narrowKubeconfig(config: Kubeconfig): Kubeconfig {
  const context = config.contexts?.find(({ name }) => name === config["current-context"]);
  const cluster = config.clusters?.find(({ name }) => name === context?.context?.cluster);
  const user = config.users?.find(({ name }) => name === context?.context?.user);
  if (context === undefined || !cluster?.cluster?.server) {
    throw new RunnerError("INVALID_CONFIG", `the context "${config["current-context"]}" of the kubeconfig names no cluster that it has`, {
      hint: "compare its contexts with its clusters",
      driver: "kubernetes",
    });
  }
  const { tokenFile, ...rest } = user?.user ?? {};
  const token = tokenFile === undefined ? rest.token : readToken(tokenFile);
  return {
    ...config,
    contexts: [{ name: context.name, context: { ...context.context, user: context.context?.user ?? "anonymous" } }],
    clusters: [cluster],
    users: [{ name: user?.name ?? context.context?.user ?? "anonymous", user: { ...rest, ...(token !== undefined && { token: token.trim() }) } }],
  };
}

function readOne({ text, file, directory }: KubeconfigText, parse: (text: string) => unknown): Kubeconfig {
  let config: Kubeconfig;
  try {
    config = (parse(text) ?? {}) as Kubeconfig;
  } catch (error) {
    // The parser's own words quote the line, which may hold a token.
    throw invalid(file, `it is no YAML${/ at line \d+, column \d+/.exec((error as Error).message)?.[0] ?? ""}`);
  }
  if (typeof config !== "object" || Array.isArray(config)) throw invalid(file, "it is no kubeconfig");
  for (const list of ["clusters", "users", "contexts"] as const) {
    const entries: unknown = config[list] ?? [];
    if (!Array.isArray(entries) || entries.some((entry: unknown) => typeof (entry as { name?: unknown } | null)?.name !== "string"))
      throw invalid(file, `its "${list}" is no list of named entries`);
  }
  const at = (path: string | undefined) => (path === undefined || path === "" ? undefined : resolve(directory, path));
  return {
    ...config,
    clusters: (config.clusters ?? []).map(({ name, cluster = {} }) => ({
      name,
      cluster: { ...cluster, ...withPath("certificate-authority", at(cluster["certificate-authority"])) },
    })),
    users: (config.users ?? []).map(({ name, user }) => ({ name, user: readUser(user ?? {}, at) })),
  };
}

function readUser(user: UserEntry, at: (path: string | undefined) => string | undefined): UserEntry {
  return {
    ...user,
    ...withPath("tokenFile", at(user.tokenFile)),
    ...withPath("client-certificate", at(user["client-certificate"])),
    ...withPath("client-key", at(user["client-key"])),
    ...(user.exec?.command?.includes("/") && { exec: { ...user.exec, command: at(user.exec.command) ?? user.exec.command } }),
  };
}

function readToken(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new RunnerError("INVALID_CONFIG", `the token file ${file} of the kubeconfig can't be read: ${(error as NodeJS.ErrnoException).code}`, {
      hint: "check the path and its mode",
      driver: "kubernetes",
    });
  }
}

function withPath<Key extends string>(key: Key, path: string | undefined): Partial<Record<Key, string>> {
  return path === undefined ? {} : ({ [key]: path } as Record<Key, string>);
}

function firstOfEachName<Entry extends { readonly name: string }>(entries: readonly Entry[]): readonly Entry[] {
  return entries.filter(({ name }, index) => entries.findIndex((other) => other.name === name) === index);
}

function invalid(file: string, reason: string): RunnerError {
  return new RunnerError("INVALID_CONFIG", `the kubeconfig ${file} can't be understood: ${reason}`, {
    hint: "compare it with one that kubectl accepts",
    driver: "kubernetes",
  });
}
