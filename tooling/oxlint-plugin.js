/** Lint rules that only this repository needs. */
const noInstanceofRunnerError = {
  meta: { messages: { brand: "Use {{name}}.is(value): instanceof is false between two copies of a package." } },
  create: (context) => ({
    BinaryExpression(node) {
      const { operator, right } = node;
      if (operator !== "instanceof" || right.type !== "Identifier" || !BRANDED.has(right.name)) return;
      context.report({ node, messageId: "brand", data: { name: right.name } });
    },
  }),
};

/** The error classes whose identity is a registered symbol. */
const BRANDED = new Set(["RunnerError", "GrpcError"]);

export default {
  meta: { name: "anyrunner" },
  rules: { "no-instanceof-runner-error": noInstanceofRunnerError },
};
