import type { ApiObject } from "../values/api-object.ts";
import type { ContainerData } from "../values/container-data.ts";
import type { DirectoryData, FileData } from "../values/directory-data.ts";
import { InvalidId } from "../values/object-registry.ts";
import type { SecretData } from "../values/secret-data.ts";
import { BadArgument } from "./api-error.ts";
import type { QueryContext } from "./query-context.ts";

/** What arguments that name objects can name. */
interface ObjectTypes {
  readonly Directory: DirectoryData;
  readonly File: FileData;
  readonly Secret: SecretData;
  readonly Container: ContainerData;
  readonly CacheVolume: { readonly key: string; readonly sharing: string };
}

/** The object that `id` names. Fails with `InvalidId`. */
export function objectById(id: string, query: QueryContext): ApiObject {
  return query.session.objects.byId(id);
}

/** The data of the object that an argument names. Fails with `BadArgument` for another type or no id at all. */
export function objectArgument<Type extends keyof ObjectTypes>(
  type: Type,
  id: string,
  query: QueryContext,
  where: { readonly field: string; readonly argument: string },
): ObjectTypes[Type] {
  const bad = (reason: string) =>
    new BadArgument(
      `parse selections: parse field "${where.field}": init arg "${where.argument}" value as dagql.ID[*github.com/dagger/dagger/core.${type}] (ID!) using dagql.ID[*github.com/dagger/dagger/core.${type}]: ${reason}`,
    );
  let object: ApiObject;
  try {
    object = objectById(id, query);
  } catch (error) {
    if (error instanceof InvalidId) throw bad(error.message);
    throw error;
  }
  if (object.type !== type) throw bad(`expected ${JSON.stringify(type)} ID, got ${object.type}! ID`);
  return object.data as ObjectTypes[Type];
}
