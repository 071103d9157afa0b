import { runSecretProgram } from "./run-secret-program.ts";
import { invalidReference, parseSecretReference, type SecretProvider } from "./secret-provider.ts";

interface FoundItem {
  readonly collection: string;
  readonly id: string;
  readonly label: string;
  readonly secret: string;
}

/**
 * `libsecret://collection[/id-or-label]?attribute=value`: GNOME's keyring and its like, by `secret-tool`. That program looks up by
 * attributes only, so at least one is needed; the collection and the id or label then choose among what it finds.
 */
export function createLibsecretProvider(): SecretProvider {
  return async (rest, context) => {
    const { path, query } = parseSecretReference(rest);
    const [collection = "", ...names] = path.split("/");
    const name = names.join("/");
    const attributes = [...query];
    if (attributes.length === 0)
      throw invalidReference("needs an attribute, such as libsecret://login?service=example: secret-tool can't look up by label alone");
    if (attributes.some(([key]) => key === "" || key.startsWith("-"))) throw invalidReference("has an attribute without a proper name");
    const stdout = await runSecretProgram({
      ...context,
      scheme: "libsecret",
      command: "secret-tool",
      product: "libsecret's tools (Debian: libsecret-tools)",
      args: ["search", "--all", "--unlock", ...attributes.flat()],
    });
    const inCollection = parseSearch(stdout.toString("utf8")).filter((item) => item.collection === collection);
    const byId = inCollection.filter(({ id }) => name === "" || id === name);
    const items = byId.length > 0 ? byId : inCollection.filter(({ label }) => label === name);
    if (items.length > 1) throw new Error(`too many items found in the collection ${collection}`);
    const [item] = items;
    if (item === undefined) throw new Error(`no such item in the collection ${collection}`);
    return Buffer.from(item.secret);
  };
}

/** Items begin with their path in brackets; a secret reaches to the line that says when it was created. */
function parseSearch(output: string): readonly FoundItem[] {
  return [...output.matchAll(/^\[\/org\/freedesktop\/secrets\/[^\]\n]*?\/?([^\]/\n]+)\/([^\]/\n]+)\]\n([^]*?)(?=^\[\/org\/freedesktop\/|$(?![^]))/gm)].map(
    ([, collection = "", id = "", text = ""]) => ({
      collection,
      id,
      label: /^label = (.*)$/m.exec(text)?.[1] ?? "",
      secret: /^secret = ([^]*?)\n(?=created = )/m.exec(text)?.[1] ?? "",
    }),
  );
}
