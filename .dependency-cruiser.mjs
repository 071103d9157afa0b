/**
 * The arrows between packages, as docs/architecture.md draws them.
 * Each package lists what it may import of the others; what is not listed is refused.
 */
const ARROWS = {
  core: [],
  "create-anyrunner-driver": ["core"],
  protocol: ["core"],
  exec: ["core"],
  config: ["core", "exec"],
  "docker-endpoint": ["core", "ssh"],
  "engine-container": ["core"],
  filesync: ["core"],
  engine: ["core", "protocol", "exec", "filesync"],
  images: ["core", "config", "docker-endpoint", "engine-container", "exec"],
  ssh: ["core", "exec"],
  "driver-socket": ["core"],
  "driver-ssh": ["core", "ssh"],
  "driver-docker": ["core", "config", "docker-endpoint", "engine-container"],
  "driver-embedded": ["core", "protocol", "filesync", "docker-endpoint"],
  "driver-podman": ["core", "config", "exec", "engine-container"],
  "driver-kubernetes": ["core", "engine-container"],
  "program-driver": ["core", "exec"],
  testkit: ["core", "protocol", "filesync"],
  drivers: [
    "core",
    "config",
    "exec",
    "driver-socket",
    "driver-docker",
    "driver-embedded",
    "driver-kubernetes",
    "driver-podman",
    "driver-ssh",
    "program-driver",
  ],
  client: ["core", "config", "engine", "driver-docker", "drivers"],
};

/** Libraries that belong to one package each, by the pattern of their folder in node_modules. */
const OWNERS = {
  execa: "^packages/exec/",
  "@kubernetes/": "^packages/driver-kubernetes/",
  "@bufbuild/": "^packages/protocol/",
  graphql: "^(packages/driver-embedded|tooling)/",
  "@dagger.io/": "^(examples|bench|packages/client)/",
};

const TEST_FILES = String.raw`(^|/)test-[^/]+\.ts$|\.test(-d)?\.ts$|^(packages|apps)/[^/]+/test/|^bench/|^tooling/`;

const arrowRules = Object.entries(ARROWS).map(([name, allowed]) => ({
  name: `arrows-of-${name}`,
  comment: `${name} may import ${allowed.length === 0 ? "no other package" : `only ${allowed.join(", ")}`}.`,
  severity: "error",
  from: { path: `^packages/${name}/`, pathNot: TEST_FILES },
  to: { path: "^packages/", pathNot: `^packages/(${[name, ...allowed].join("|")})/` },
}));

const ownerRules = Object.entries(OWNERS).map(([library, owner]) => ({
  name: `owner-of-${library.replaceAll(/\W+/g, "")}`,
  comment: `${library} is imported by its owner only.`,
  severity: "error",
  from: { pathNot: owner },
  to: { path: `node_modules/${library}${library.endsWith("/") ? "" : "/"}` },
}));

export default {
  forbidden: [
    ...arrowRules,
    ...ownerRules,
    {
      name: "every-package-has-arrows",
      comment: "A new package gets its line in ARROWS first.",
      severity: "error",
      from: { path: "^packages/", pathNot: `^packages/(${Object.keys(ARROWS).join("|")})/` },
      to: {},
    },
    {
      name: "core-imports-node-only",
      severity: "error",
      from: { path: "^packages/core/src/", pathNot: TEST_FILES },
      to: { dependencyTypesNot: ["core", "local", "type-only"] },
    },
    {
      name: "no-cycles",
      comment: "Of types neither: two files that need each other are one, or three.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    { name: "no-unresolvable", comment: "Misspelt, or not declared in the package's manifest.", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "no-relative-path-across-packages",
      comment: "Import the package by its name.",
      severity: "error",
      from: { path: "^(packages|apps|examples)/([^/]+)/" },
      to: { dependencyTypes: ["local"], pathNot: "^$1/$2/|^[^/]+$|^tooling/" },
    },
    { name: "tooling-from-tests-only", severity: "error", from: { path: "^(packages|apps|examples)/", pathNot: TEST_FILES }, to: { path: "^tooling/" } },
    {
      name: "no-driver-imports-another",
      severity: "error",
      from: { path: "^packages/(driver-[^/]+)/" },
      to: { path: "^packages/driver-", pathNot: "^packages/$1/" },
    },
    {
      name: "drivers-use-the-surface-of-authors",
      comment: "Import from @anyrunner/core/driver: what our drivers need beyond it, another author would lack.",
      severity: "error",
      from: { path: "^packages/(driver-[^/]+|program-driver)/", pathNot: TEST_FILES },
      to: { path: String.raw`^packages/core/src/index\.ts$` },
    },
    { name: "nothing-imports-an-app", severity: "error", from: { path: "^(packages|examples)/" }, to: { path: "^apps/" } },
    { name: "testkit-from-tests-only", severity: "error", from: { pathNot: `${TEST_FILES}|^packages/testkit/` }, to: { path: "^packages/testkit/" } },
    {
      name: "no-tests-from-sources",
      severity: "error",
      from: { pathNot: TEST_FILES },
      to: { path: String.raw`\.test\.ts$` },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)dist/" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["types", "import", "node", "default"] },
  },
};
