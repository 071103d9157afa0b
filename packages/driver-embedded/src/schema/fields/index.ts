import type { Fields } from "../resolver.ts";
import { cacheVolumeFields, namedValueFields, nodeFields, portFields, secretFields, statFields } from "./small-types.ts";
import { containerConfigFields } from "./container-config.ts";
import { containerExecFields } from "./container-exec.ts";
import { containerFileFields } from "./container-files.ts";
import { containerImageFields } from "./container-image.ts";
import { containerMountFields } from "./container-mounts.ts";
import { directoryFields } from "./directory.ts";
import { directoryEditFields } from "./directory-edit.ts";
import { fileFields } from "./file.ts";
import { hostFields } from "./host.ts";
import { queryFields } from "./query.ts";

/** Every field that the embedded runner has, by type. What is in the schema but not here is refused by name. */
export const FIELDS: Readonly<Record<string, Fields>> = {
  Query: queryFields,
  Container: { ...nodeFields, ...containerConfigFields, ...containerImageFields, ...containerExecFields, ...containerFileFields, ...containerMountFields },
  Directory: { ...nodeFields, ...directoryFields, ...directoryEditFields },
  File: { ...nodeFields, ...fileFields },
  Host: { ...nodeFields, ...hostFields },
  Secret: { ...nodeFields, ...secretFields },
  CacheVolume: { ...nodeFields, ...cacheVolumeFields },
  EnvVariable: { ...nodeFields, ...namedValueFields },
  Label: { ...nodeFields, ...namedValueFields },
  Port: { ...nodeFields, ...portFields },
  ModuleSource: { ...nodeFields, configExists: () => false },
  Stat: { ...nodeFields, ...statFields },
};
