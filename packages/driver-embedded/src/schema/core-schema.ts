import type { GraphQLSchema } from "graphql";

import { resolveField } from "./resolve-field.ts";

/** graphql-js and the schema built with it; loaded once, and only when a query comes. */
export interface CoreSchema {
  readonly graphql: typeof import("graphql");
  readonly schema: GraphQLSchema;
}

let loaded: Promise<CoreSchema> | undefined;

/** Starts loading at the first call; call it early, the query that comes next then waits less. */
export function loadCoreSchema(): Promise<CoreSchema> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<CoreSchema> {
  const [graphql, { CORE_API_SDL }, { FIELDS }] = await Promise.all([import("graphql"), import("./core-api-sdl.ts"), import("./fields/index.ts")]);
  const built = graphql.buildASTSchema(graphql.parse(CORE_API_SDL, { noLocation: true }), { assumeValid: true, assumeValidSDL: true });
  for (const type of Object.values(built.getTypeMap())) {
    if (type.name.startsWith("__")) continue;
    if (graphql.isObjectType(type)) {
      for (const field of Object.values(type.getFields()))
        field.resolve = resolveField({ graphql, name: `${type.name}.${field.name}`, resolver: FIELDS[type.name]?.[field.name] });
    } else if (graphql.isInterfaceType(type)) type.resolveType = (value: { readonly type: string }) => value.type;
  }
  // The engine has no @include and @skip.
  const config = built.toConfig();
  const schema = new graphql.GraphQLSchema({
    ...config,
    assumeValid: true,
    directives: config.directives.filter(({ name }) => name !== "include" && name !== "skip"),
  });
  return { graphql, schema };
}
