// Named here, since a bundler's chunk of a CommonJS package that is imported dynamically has no named exports.
export { isMap, isNode, isPair, LineCounter, parseDocument } from "yaml";
