import type { GraphQLFieldResolver, GraphQLResolveInfo } from "graphql";

import type { JsonValue } from "@anyrunner/core/driver";

import { canonicalJson } from "../plan/canonical.ts";
import { sha256 } from "../tree/node.ts";
import { isApiObject, type ApiObject } from "../values/api-object.ts";
import type { Resolver } from "./resolver.ts";
import { BadArgument, errorExtensions, errorMessage, Unsupported } from "./api-error.ts";
import type { QueryContext } from "./query-context.ts";

export interface ResolveFieldOptions {
  readonly graphql: typeof import("graphql");
  /** `Container.withExec` */
  readonly name: string;
  readonly resolver: Resolver | undefined;
}

/** Fields whose objects a call of another name could have made: errors show that name (engine 0.21.8). */
const CHAINS: Readonly<Record<string, readonly string[]>> = { "Query.file": ["directory", "withNewFile", "file"] };
/** Arguments that must not become part of an id. */
const SECRET_ARGUMENTS: Readonly<Record<string, readonly string[]>> = { "Query.setSecret": ["plaintext"] };
/** What these give depends on the machine of the client that asks. */
const PER_CLIENT: ReadonlySet<string> = new Set(["Query.host", "Query.secret", "Query.address"]);
/** These do something besides giving an object, so they are carried out each time. */
const EVERY_TIME: ReadonlySet<string> = new Set(["Query.setSecret"]);

let uncached = 0;

/** Wraps a resolver: equal calls give the same object, errors name the calls that made the object. */
export function resolveField({ graphql, name, resolver }: ResolveFieldOptions): GraphQLFieldResolver<ApiObject, QueryContext> {
  const field = name.slice(name.indexOf(".") + 1);
  return async (parent, args: Record<string, unknown>, query, info) => {
    try {
      if (resolver === undefined) throw new Unsupported(name);
      const type = graphql.getNamedType(info.returnType);
      if (!graphql.isCompositeType(type)) return await resolver(parent.data, args, query, parent);
      if (info.fieldNodes[0]?.selectionSet === undefined) throw new Error(`field "${field}" of type "${type.name}" must have a selection of subfields`);
      return await objectOf({ graphql, name, field, resolver, parent, args, query, info });
    } catch (error) {
      if (error instanceof graphql.GraphQLError) throw error;
      const extensions = errorExtensions(error);
      throw new graphql.GraphQLError(errorMessage(error), {
        originalError: error instanceof Error ? error : undefined,
        // An empty path counts as located, too; the answer leaves it out.
        path: error instanceof BadArgument ? [] : [...parent.chain, String(info.path.key)],
        ...(extensions === undefined ? {} : { extensions: extensions as Record<string, unknown> }),
      });
    }
  };
}

interface ObjectCall {
  readonly graphql: typeof import("graphql");
  readonly name: string;
  readonly field: string;
  readonly resolver: Resolver;
  readonly parent: ApiObject;
  readonly args: Record<string, unknown>;
  readonly query: QueryContext;
  readonly info: GraphQLResolveInfo;
}

async function objectOf(call: ObjectCall): Promise<unknown> {
  const { graphql, name, field, resolver, parent, args, query, info } = call;
  const { objects } = query.session;
  const key = callKey(call);
  const known = objects.find(key);
  if (known !== undefined && !EVERY_TIME.has(name)) return known;

  // Two queries that ask for the same at one time share the work, too: a host directory is read once.
  const result = await query.session.calls(key, query.call, async (shared) => resolver(parent.data, args, { ...query, call: shared }, parent));
  const type = graphql.getNamedType(info.returnType).name;
  const chain = CHAINS[name] ?? [...parent.chain, field];
  const adopt = (data: unknown, itemKey: string): unknown => {
    if (data === null || data === undefined || isApiObject(data)) return data ?? null;
    return objects.find(itemKey) ?? objects.add(itemKey, { type, chain, data });
  };
  return Array.isArray(result) ? result.map((item, index) => adopt(item, `${key}[${index}]`)) : adopt(result, key);
}

/** What makes two calls equal: the parent, the field and the arguments that were written out, in whatever order. */
function callKey({ name, field, parent, args, query, info }: ObjectCall): string {
  const written = new Set(info.fieldNodes[0]?.arguments?.map((argument) => argument.name.value));
  for (const secret of SECRET_ARGUMENTS[name] ?? []) written.delete(secret);
  const shown = Object.fromEntries(Object.entries(args).filter(([argument]) => written.has(argument)));
  const client = PER_CLIENT.has(name) ? `@${query.clientId}` : "";
  const again = args["noCache"] === true ? `#${++uncached}` : "";
  const text = `${parent.number}.${field}${client}${again}${canonicalJson(shown as Record<string, JsonValue>)}`;
  return text.length > 300 ? sha256(text) : text;
}
