import { createHash } from "node:crypto";

import { bytesContent, EMPTY_FOLDER, makeFile } from "../../tree/node.ts";
import { SCRATCH } from "../../plan/operation.ts";
import type { ApiObject } from "../../values/api-object.ts";
import type { Fields } from "../resolver.ts";
import { emptyConfig, type ContainerData } from "../../values/container-data.ts";
import { wholeTree, type DirectoryData, type FileData } from "../../values/directory-data.ts";
import { InvalidId } from "../../values/object-registry.ts";
import { parsePlatform } from "../../values/platform.ts";
import { maskedIdentity, type SecretData } from "../../values/secret-data.ts";
import { API_VERSION } from "../../version.ts";
import { BadArgument, Unsupported } from "../api-error.ts";
import { objectById } from "../object-argument.ts";
import type { QueryContext } from "../query-context.ts";

const SECRET_SCHEMES = new Set(["env", "file", "cmd", "op", "vault", "libsecret", "aws+sm", "aws+ps", "gcp"]);

/** Interfaces that can be loaded by id, and who implements them. */
const INTERFACES: Readonly<Record<string, readonly string[]>> = { Exportable: ["Container", "Directory", "File"], Syncer: ["Container", "Directory", "File"] };

/** Types that can be loaded by id. */
const LOADABLE = ["Container", "Directory", "File", "Secret", "CacheVolume", "Host", "EnvVariable", "Label", "Port", "Stat", ...Object.keys(INTERFACES)];

export const queryFields: Fields = {
  id: () => {
    throw new Error("result *core.Query is detached");
  },
  version: () => API_VERSION,
  defaultPlatform: (_data, _args, { engine }) => engine.facts.platform,

  container(_data, { platform }: { platform?: string }, { engine }): ContainerData {
    return { config: emptyConfig(parsePlatform(platform ?? engine.facts.platform)), files: SCRATCH };
  },

  directory: (): DirectoryData => wholeTree(async () => EMPTY_FOLDER),

  file(_data, { name, contents, permissions }: { name: string; contents: string; permissions: number }): FileData {
    if (name.includes("/")) throw new Error(`file name "${name}" must not contain a directory`);
    if (name === "") throw new Error("open: is a directory");
    const node = makeFile(bytesContent(Buffer.from(contents)), { mode: (permissions || 0o644) & 0o777 });
    return { node: async () => node, name };
  },

  host: () => ({}),

  cacheVolume(_data, { key, source, owner, sharing }: { key: string; source?: string; owner: string; sharing: string }) {
    if (source !== undefined && source !== null) throw new Unsupported("Query.cacheVolume(source:)");
    if (owner !== "") throw new Unsupported("Query.cacheVolume(owner:)");
    return { key, sharing };
  },

  setSecret(_data, { name, plaintext }: { name: string; plaintext: string }, { session }): SecretData {
    session.secrets.set(name, Buffer.from(plaintext));
    return { name, uri: "", value: async () => session.secrets.get(name) ?? Buffer.alloc(0), identity: async () => `name:${digestOf(name)}` };
  },

  secret(_data, { uri, cacheKey }: { uri: string; cacheKey?: string }, { host, engine }): SecretData {
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(uri)?.[1];
    if (scheme === undefined) throw new Error(`parse ${JSON.stringify(uri)}: malformed id`);
    if (!SECRET_SCHEMES.has(scheme)) throw new Error(`unsupported secret provider: ${JSON.stringify(scheme)}`);
    const value: SecretData["value"] = (call) => host.secret(uri, call);
    return {
      name: "",
      uri,
      value,
      identity: async (call) =>
        cacheKey === undefined || cacheKey === null ? `value:${maskedIdentity(await value(call), engine.localKey)}` : `key:${digestOf(cacheKey)}`,
    };
  },

  /** The official CLI asks before each of its commands whether there is a module; that there is none can be told. */
  async moduleSource(_data, { refString, allowNotExists }: { refString: string; allowNotExists: boolean }, { host, call }) {
    if (!allowNotExists) throw new Unsupported("Query.moduleSource");
    const start = await host.realPath(refString, call);
    for (let folder = start; ; folder = folder.slice(0, folder.lastIndexOf("/"))) {
      if (await host.exists(`${folder}/dagger.json`, call)) throw new Unsupported(`modules, and ${folder || "/"} is one`);
      if (folder === "" || folder === "/") return {};
    }
  },

  node: (_data, { id }: { id: string }, query) => nodeById(id, query),

  ...Object.fromEntries(
    LOADABLE.map((type) => [`load${type}FromID`, (_data: unknown, { id }: { id: string }, query: QueryContext) => loadById(id, type, query)]),
  ),
};

function nodeById(id: string, query: QueryContext): ApiObject {
  if (id === "") throw new Error('missing required argument: "id"');
  return decode(id, query, "node");
}

function loadById(id: string, type: string, query: QueryContext): ApiObject {
  const object = decode(id, query, `load${type}FromID`);
  if (object.type !== type && !INTERFACES[type]?.includes(object.type)) throw new Error(`load ${type}: expected ${type}, got ${object.type}`);
  return object;
}

function decode(id: string, query: QueryContext, field: string): ApiObject {
  try {
    return objectById(id, query);
  } catch (error) {
    if (error instanceof InvalidId) throw new BadArgument(`parse selections: parse field "${field}": init arg "id" value: invalid ID string: ${error.message}`);
    throw error;
  }
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
