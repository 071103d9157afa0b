import type { FieldNode, GraphQLInputType, GraphQLSchema, OperationDefinitionNode, ValueNode } from "graphql";

type Graphql = typeof import("graphql");

/** A value that even the lenient engine refuses. */
export class BadValue extends Error {}

/**
 * Literals as graphql-js wants them, from what the engine takes besides (recorded from 0.21.8): enum values in quotes,
 * `"420"` for an Int, `"true"` for a Boolean; null for an argument counts as left out. Throws `BadValue` for the rest.
 */
export function lenientLiteral(graphql: Graphql, node: ValueNode, type: GraphQLInputType): ValueNode | undefined {
  const { Kind } = graphql;
  if (node.kind === Kind.VARIABLE) return node;
  if (graphql.isNonNullType(type)) {
    if (node.kind === Kind.NULL) throw new BadValue(`cannot create ${graphql.getNamedType(type).name} from <nil>`);
    return lenientLiteral(graphql, node, type.ofType);
  }
  if (node.kind === Kind.NULL) return undefined;
  if (graphql.isListType(type)) {
    if (node.kind !== Kind.LIST) throw new BadValue(`decode ${graphql.print(node)}: expected array`);
    const values = node.values.map((value) => lenientLiteral(graphql, value, type.ofType)).filter((value) => value !== undefined);
    return { ...node, values };
  }
  if (graphql.isInputObjectType(type)) return lenientObject(graphql, node, type);
  return lenientLeaf(graphql, node, type.name, graphql.isEnumType(type) ? type.getValues().map(({ name }) => name) : undefined);
}

function lenientObject(graphql: Graphql, node: ValueNode, type: import("graphql").GraphQLInputObjectType): ValueNode {
  if (node.kind !== graphql.Kind.OBJECT) throw new BadValue(`cannot create ${type.name} from ${graphql.print(node)}`);
  const known = type.getFields();
  for (const field of Object.values(known)) {
    if (graphql.isRequiredInputField(field) && !node.fields.some(({ name }) => name.value === field.name))
      throw new BadValue(`missing required input field "${field.name}"`);
  }
  const fields = node.fields.flatMap((field) => {
    const target = known[field.name.value];
    const value = target === undefined ? undefined : lenientLiteral(graphql, field.value, target.type);
    return value === undefined ? [] : [{ ...field, value }];
  });
  return { ...node, fields };
}

function lenientLeaf(graphql: Graphql, node: ValueNode, type: string, members: readonly string[] | undefined): ValueNode {
  const { Kind } = graphql;
  if (members !== undefined) {
    const value = node.kind === Kind.STRING || node.kind === Kind.ENUM ? node.value : graphql.print(node);
    if (!members.includes(value)) throw new BadValue(`invalid enum member "${value}" for core.${type === "ReturnType" ? "ReturnTypes" : type}`);
    return { kind: Kind.ENUM, value };
  }
  if (type === "Int") {
    if (node.kind === Kind.STRING && /^-?\d+$/.test(node.value)) return { kind: Kind.INT, value: node.value };
    if (node.kind !== Kind.INT) throw new BadValue(`cannot create Int from ${graphql.print(node)}`);
  }
  if (type === "Boolean" && node.kind !== Kind.BOOLEAN) {
    if (node.kind === Kind.STRING && /^(true|false)$/.test(node.value)) return { kind: Kind.BOOLEAN, value: node.value === "true" };
    throw new BadValue(`cannot create Boolean from ${graphql.print(node)}`);
  }
  if (type === "String" && node.kind !== Kind.STRING) throw new BadValue(`cannot create String from ${graphql.print(node)}`);
  return node;
}

/** The same for the value of a variable. */
export function lenientVariable(graphql: Graphql, value: unknown, type: GraphQLInputType): unknown {
  if (graphql.isNonNullType(type)) return lenientVariable(graphql, value, type.ofType);
  if (value === null || value === undefined) return value;
  if (graphql.isListType(type)) {
    if (!Array.isArray(value)) throw new BadValue(`expected array, got []${typeof value}`);
    return value.map((item) => lenientVariable(graphql, item, type.ofType));
  }
  if (graphql.isInputObjectType(type)) {
    const known = type.getFields();
    return Object.fromEntries(
      Object.entries(value as Record<string, unknown>).flatMap(([name, member]) => {
        const field = known[name];
        return field === undefined ? [] : [[name, lenientVariable(graphql, member, field.type)] as const];
      }),
    );
  }
  if (type.name === "Int" && typeof value === "string" && /^-?\d+$/.test(value)) return Number(value);
  if (type.name === "Boolean" && (value === "true" || value === "false")) return value === "true";
  if ((type.name === "String" || type.name === "ID") && typeof value === "number") throw new BadValue("cannot create String from json.Number");
  return value;
}

export interface LenientOptions {
  readonly graphql: Graphql;
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly document: import("graphql").DocumentNode;
}

/** The document with every argument's literal made acceptable; also refuses objects without a selection. */
export function lenientDocument({ graphql, schema, document }: Omit<LenientOptions, "operation">): import("graphql").DocumentNode {
  const types = new graphql.TypeInfo(schema);
  return graphql.visit(
    document,
    graphql.visitWithTypeInfo(types, {
      Field(node: FieldNode) {
        const definition = types.getFieldDef();
        if (definition === null || definition === undefined || node.arguments === undefined || node.arguments.length === 0) return undefined;
        const given = node.arguments.flatMap((argument) => {
          const target = definition.args.find(({ name }) => name === argument.name.value);
          if (target === undefined) return [argument];
          const value = inArgument(node, argument.name.value, () => lenientLiteral(graphql, argument.value, target.type));
          return value === undefined ? [] : [{ ...argument, value: value as typeof argument.value }];
        });
        return { ...node, arguments: given };
      },
    }),
  );
}

function inArgument<T>(field: FieldNode, argument: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof BadValue) throw new BadValue(`parse selections: parse field "${field.name.value}": init arg "${argument}" value: ${error.message}`);
    throw error;
  }
}
