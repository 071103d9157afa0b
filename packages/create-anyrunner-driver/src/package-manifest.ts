import { packageName, renamed, type DriverNames } from "./driver-names.ts";
import type { TemplateManifest } from "./template-files.ts";

type Dependencies = Readonly<Record<string, string>>;

/** The package.json of a package of its own: it exports what was built, and depends on what a registry has. */
export function packageManifest(template: TemplateManifest, names: DriverNames, versions: Dependencies): string {
  const { private: _, scripts, dependencies, devDependencies, ...rest } = template;
  const manifest = {
    ...rest,
    name: packageName(names),
    exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" }, "./package.json": "./package.json" },
    scripts: { ...scripts, prepack: "npm run build", "check:pack": "publint --strict" },
    dependencies: withVersions(dependencies, versions),
    devDependencies: withVersions(devDependencies, versions),
  };
  return renamed(`${JSON.stringify(ordered(manifest, template), undefined, 2)}\n`, names);
}

/** The package.json of a driver in the repository of anyrunner. */
export function repositoryManifest(template: TemplateManifest, names: DriverNames): string {
  const directory = `packages/driver-${names.kebab}`;
  const manifest = {
    name: `@anyrunner/driver-${names.kebab}`,
    version: "0.0.0",
    description: renamed(String(template["description"]), names),
    license: "Apache-2.0",
    repository: { type: "git", url: "git+https://github.com/anyrunner/anyrunner.git", directory },
    files: ["dist"],
    type: "module",
    sideEffects: false,
    exports: { ".": "./src/index.ts", "./package.json": "./package.json" },
    publishConfig: {
      access: "public",
      exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" }, "./package.json": "./package.json" },
    },
    scripts: { build: "tsup && tsc -b" },
    dependencies: template.dependencies,
    devDependencies: { "@anyrunner/testkit": "workspace:^", vitest: "catalog:" },
    engines: { node: ">=22.19" },
    driver: { specVersion: 1, schemes: [names.kebab] },
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

function withVersions(dependencies: Dependencies, versions: Dependencies): Dependencies {
  return Object.fromEntries(
    Object.keys(dependencies).map((name) => {
      const version = versions[name];
      if (version === undefined) throw new Error(`no version of ${name} is known`);
      return [name, /^\d/.test(version) ? `^${version}` : version];
    }),
  );
}

/** Keys in the template's order. */
function ordered<T extends object>(manifest: T, template: TemplateManifest): T {
  const order = Object.keys(template);
  const place = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  return Object.fromEntries(Object.entries(manifest).toSorted(([a], [b]) => place(a) - place(b))) as T;
}
