import type { DocumentNode, ExecutionResult, GraphQLError, OperationDefinitionNode } from "graphql";

import type { ApiObject } from "../values/api-object.ts";
import { loadCoreSchema, type CoreSchema } from "./core-schema.ts";
import { BadValue, lenientDocument, lenientVariable } from "./lenient-values.ts";
import type { QueryContext } from "./query-context.ts";

export interface QueryRequest {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  readonly operationName?: string | undefined;
}

export interface QueryAnswer {
  readonly status: 200 | 422;
  readonly body: { readonly data?: unknown; readonly errors?: readonly ApiErrorBody[] };
}

export interface ApiErrorBody {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions?: unknown;
}

const ROOT: ApiObject = { type: "Query", number: 0, chain: [], data: undefined };

/** Answers one request as the engine does: 422 for what is no valid query, else 200; on any error there is no data at all. */
export async function executeQuery(request: QueryRequest, context: QueryContext): Promise<QueryAnswer> {
  const core = await loadCoreSchema();
  if (request.query === "") return refused("GRAPHQL_VALIDATION_FAILED", ["no operation provided"]);
  const checked = check(core, request);
  if ("status" in checked) return checked;
  try {
    const { document, variables } = lenient(core, checked.document, checked.operation, request);
    const result = await core.graphql.execute({
      schema: core.schema,
      document,
      variableValues: variables,
      operationName: request.operationName || undefined,
      contextValue: context,
      rootValue: ROOT,
      abortSignal: context.call.signal,
    });
    return answer(result, request.query);
  } catch (error) {
    if (error instanceof BadValue) return badArgument(request.query, error.message);
    throw error;
  }
}

interface Checked {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
}

function check({ graphql, schema }: CoreSchema, request: QueryRequest): Checked | QueryAnswer {
  let document: DocumentNode;
  try {
    document = graphql.parse(request.query);
  } catch (error) {
    return refused("GRAPHQL_PARSE_FAILED", [syntaxMessage(error)]);
  }
  const operations = document.definitions.filter((definition) => definition.kind === graphql.Kind.OPERATION_DEFINITION);
  const name = request.operationName ?? "";
  const operation = operations.find((each) => (name === "" ? operations.length === 1 : each.name?.value === name));
  const foreign = operations.find((each) => each.operation !== "query");
  if (foreign !== undefined) return refused("GRAPHQL_VALIDATION_FAILED", [`Schema does not support operation type "${foreign.operation}"`]);
  const errors = graphql.validate(schema, document, rules(graphql));
  if (errors.length > 0)
    return refused(
      "GRAPHQL_VALIDATION_FAILED",
      errors.map(({ message }) => message),
    );
  if (operation === undefined) return refused("GRAPHQL_VALIDATION_FAILED", [`operation ${name} not found`]);
  const missing = missingVariable({ graphql, schema }, operation, request.variables ?? {});
  if (missing !== undefined) {
    return {
      status: 422,
      body: { errors: [{ message: missing.message, path: ["variable", missing.name], extensions: { code: "GRAPHQL_VALIDATION_FAILED" } }], data: null },
    };
  }
  return { document, operation };
}

/** The engine judges values when it carries out a field, not before. */
function rules(graphql: CoreSchema["graphql"]) {
  const left = new Set<unknown>([graphql.ValuesOfCorrectTypeRule, graphql.ScalarLeafsRule]);
  return graphql.specifiedRules.filter((rule) => !left.has(rule));
}

function missingVariable({ graphql, schema }: CoreSchema, operation: OperationDefinitionNode, variables: Readonly<Record<string, unknown>>) {
  for (const definition of operation.variableDefinitions ?? []) {
    const name = definition.variable.name.value;
    const type = graphql.typeFromAST(schema, definition.type);
    if (!graphql.isNonNullType(type) || definition.defaultValue !== undefined) continue;
    if (!(name in variables)) return { name, message: "must be defined" };
    if (variables[name] === null) return { name, message: "cannot be null" };
  }
  return undefined;
}

function lenient({ graphql, schema }: CoreSchema, document: DocumentNode, operation: OperationDefinitionNode, request: QueryRequest) {
  const variables: Record<string, unknown> = { ...request.variables };
  for (const definition of operation.variableDefinitions ?? []) {
    const name = definition.variable.name.value;
    const type = graphql.typeFromAST(schema, definition.type);
    if (name in variables && graphql.isInputType(type)) variables[name] = lenientVariable(graphql, variables[name], type);
  }
  return { document: lenientDocument({ graphql, schema, document }), variables };
}

function answer(result: ExecutionResult, query: string): QueryAnswer {
  const [first] = result.errors ?? [];
  // An object whose selection was left out comes through as itself: graphql-js has nothing to complete it with.
  if (first === undefined) return { status: 200, body: { data: result.data } };
  if (first.path?.length === 0) return badArgument(query, first.message);
  return { status: 200, body: { errors: [errorBody(first)], data: null } };
}

function errorBody(error: GraphQLError): ApiErrorBody {
  return {
    message: error.message,
    ...(error.path === undefined ? {} : { path: error.path }),
    ...(Object.keys(error.extensions).length === 0 ? {} : { extensions: error.extensions }),
  };
}

function badArgument(query: string, reason: string): QueryAnswer {
  return { status: 200, body: { errors: [{ message: `query:\n${query}\n\nerror: ${reason}` }], data: null } };
}

function refused(code: string, messages: readonly string[]): QueryAnswer {
  return { status: 422, body: { errors: messages.map((message) => ({ message, extensions: { code } })), data: null } };
}

/** graphql-js's words in the engine's: no prefix, no full stop, tokens without quotes. */
function syntaxMessage(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/^Syntax Error: /, "")
    .replace(/\.$/, "")
    .replace(/^Unexpected "(.)"$/, "Unexpected $1");
}
