import { Readable } from "node:stream";

import type { ResolvedImage } from "../../executor/executor.ts";
import { imageOperation, treeOperation } from "../../plan/operation.ts";
import { shared } from "../../plan/shared.ts";
import { inSpan } from "../../telemetry/span.ts";
import type { Fields } from "../resolver.ts";
import { setNamed, withConfig, withFiles, type ContainerConfig, type ContainerData, type NamedValue } from "../../values/container-data.ts";
import { readPath } from "../../values/container-path.ts";
import { asFolder, folderOf, wholeTree } from "../../values/directory-data.ts";
import { Unsupported } from "../api-error.ts";
import { objectArgument } from "../object-argument.ts";
import type { QueryContext } from "../query-context.ts";

export const containerImageFields: Fields = {
  async from(container: ContainerData, { address, registryService }: { address: string; registryService?: string }, query): Promise<ContainerData> {
    if (registryService !== undefined && registryService !== null) throw new Unsupported("Container.from(registryService:)");
    const image = await inSpan(query.call.span, `from ${address}`, () => resolveImage(address, container.config, query));
    return { config: joinConfig(container.config, image), files: imageOperation(image.snapshot), imageRef: image.reference };
  },

  imageRef({ imageRef }: ContainerData) {
    if (imageRef === undefined) {
      throw new Error(
        "Image reference can only be retrieved immediately after the 'Container.From' call. Error in fetching imageRef as the container image is changed",
      );
    }
    return imageRef;
  },

  async import(container: ContainerData, { source, tag }: { source: string; tag: string }, query): Promise<ContainerData> {
    if (tag !== "") throw new Unsupported("Container.import(tag:)");
    const { engine, call } = query;
    const file = await objectArgument("File", source, query, { field: "import", argument: "source" }).node(call);
    const archive = Readable.from(engine.store.open(file.content), { objectMode: false });
    const image = await engine.executor.importArchive(archive, { signal: call.signal, report: call.report });
    const blank = { ...container.config, env: [], workdir: "", user: "", entrypoint: [], defaultArgs: [], labels: [], ports: [] };
    return { config: joinConfig(blank, image), files: imageOperation(image.snapshot) };
  },

  withRootfs(container: ContainerData, { directory }: { directory: string }, query): ContainerData {
    const data = objectArgument("Directory", directory, query, { field: "withRootfs", argument: "directory" });
    return {
      ...withFiles(
        container,
        treeOperation((call) => folderOf(data, call)),
      ),
      exec: undefined,
    };
  },

  withRegistryAuth(container: ContainerData, { address, username, secret }: { address: string; username: string; secret: string }, query) {
    const { value } = objectArgument("Secret", secret, query, { field: "withRegistryAuth", argument: "secret" });
    const host = registryHost(address);
    const others = container.config.registryAuths.filter((each) => each.host !== host);
    return withConfig(container, { registryAuths: [...others, { host, username, secret: value }] });
  },
  withoutRegistryAuth: (container: ContainerData, { address }: { address: string }) =>
    withConfig(container, { registryAuths: container.config.registryAuths.filter(({ host }) => host !== registryHost(address)) }),

  rootfs: (container: ContainerData, _args, query) => ({
    ...wholeTree(shared(async (call) => asFolder(await readPath({ ...container, config: { ...container.config, mounts: [] } }, "/", { ...query, call }), "/"))),
    name: "/",
  }),
};

/** The registry of an address, which may name an image, too; what has no host is the default registry's. */
function registryHost(address: string): string {
  const [first = ""] = address.replace(/^https?:\/\//, "").split("/");
  return /[.:]|^localhost$/.test(first) && !/^(index\.|registry-1\.)?docker\.io$/.test(first) ? first : "docker.io";
}

/** One name is one image for the whole session, whatever happens to the tag meanwhile. */
function resolveImage(address: string, { platform, registryAuths }: ContainerConfig, { session, engine, host, call }: QueryContext): Promise<ResolvedImage> {
  const key = `${platform} ${address}`;
  const known = session.images.get(key);
  if (known !== undefined) return known;
  const resolved = engine.executor.resolveImage(address, {
    platform,
    signal: call.signal,
    report: call.report,
    async credentials(registry) {
      const auth = registryAuths.find((each) => each.host === registry || (each.host === "docker.io" && registry.endsWith(".docker.io")));
      if (auth === undefined) return host.credentials(registry, call);
      return { username: auth.username, secret: Buffer.from(await auth.secret(call)).toString() };
    },
  });
  session.images.set(key, resolved);
  resolved.catch(() => session.images.delete(key));
  return resolved;
}

/** An image adds its variables and labels to what is there, and replaces the rest. */
function joinConfig(config: ContainerConfig, { config: image }: ResolvedImage): ContainerConfig {
  const env = image.env.reduce<readonly NamedValue[]>((all, line) => {
    const equals = line.indexOf("=");
    return setNamed(all, equals < 0 ? line : line.slice(0, equals), equals < 0 ? "" : line.slice(equals + 1));
  }, config.env);
  return {
    ...config,
    env,
    labels: Object.entries(image.labels).reduce((all, [name, value]) => setNamed(all, name, value), config.labels),
    workdir: image.workingDir,
    user: image.user,
    entrypoint: image.entrypoint ?? [],
    defaultArgs: image.cmd ?? [],
    platform: image.platform,
    ports: image.exposedPorts.map((text) => {
      const [port, protocol] = text.split("/");
      return { port: Number(port), protocol: protocol === "udp" ? "UDP" : "TCP", description: null, experimentalSkipHealthcheck: false };
    }),
  };
}
