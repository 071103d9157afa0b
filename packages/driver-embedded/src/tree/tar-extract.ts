// Named here, since a bundler's chunk of a CommonJS package that is imported dynamically has no named exports.
export { extract } from "tar-stream";
