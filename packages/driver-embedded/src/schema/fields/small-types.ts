import type { Fields } from "../resolver.ts";
import type { ExposedPort, NamedValue } from "../../values/container-data.ts";
import type { SecretData } from "../../values/secret-data.ts";
import type { StatData } from "../../values/stat-data.ts";

/** What every type has. */
export const nodeFields: Fields = {
  id: (_data, _args, { session }, parent) => session.objects.idOf(parent),
};

export const cacheVolumeFields: Fields = {};

export const namedValueFields: Fields = {
  name: ({ name }: NamedValue) => name,
  value: ({ value }: NamedValue) => value,
};

export const portFields: Fields = {
  port: ({ port }: ExposedPort) => port,
  protocol: ({ protocol }: ExposedPort) => protocol,
  description: ({ description }: ExposedPort) => description,
  experimentalSkipHealthcheck: ({ experimentalSkipHealthcheck }: ExposedPort) => experimentalSkipHealthcheck,
};

export const secretFields: Fields = {
  name: ({ name }: SecretData) => name,
  uri: ({ uri }: SecretData) => uri,
  plaintext: async ({ value }: SecretData, _args, { call }) => Buffer.from(await value(call)).toString(),
};

export const statFields: Fields = {
  name: ({ name }: StatData) => name,
  size: ({ size }: StatData) => size,
  permissions: ({ permissions }: StatData) => permissions,
  fileType: ({ fileType }: StatData) => fileType,
};
