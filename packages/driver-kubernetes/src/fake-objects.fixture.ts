import type { Pod } from "./pod.ts";

/** What an API server for tests knows. */
export interface FakeObjects {
  readonly pods: Map<string, Pod>;
  /** Further answers, by path. */
  readonly objects: Map<string, object>;
  /** The log of every pod. */
  log: string;
  /** The log of every container before its restart. */
  previousLog: string;
  /** What happens when an object at a path was created, changed or deleted (`undefined`). */
  onChange: (path: string, object: object | undefined) => void;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface ChangedObject {
  readonly metadata?: { readonly name?: string; readonly resourceVersion?: string; readonly annotations?: Readonly<Record<string, string | null>> };
  readonly spec?: object;
  readonly preconditions?: { readonly resourceVersion?: string };
}

/** What the API server answers to a GET. */
export function answer(fake: FakeObjects, url: URL): Answer {
  const object = fake.objects.get(url.pathname);
  if (object !== undefined) return { status: 200, body: JSON.stringify(object) };
  if (/\/(statefulsets|leases)$/.test(url.pathname)) {
    const items = [...fake.objects].filter(([path]) => path.startsWith(`${url.pathname}/`)).map(([, object_]) => object_);
    return { status: 200, body: JSON.stringify({ items }) };
  }
  if (url.pathname.endsWith("/pods")) {
    const wanted = [...(url.searchParams.get("labelSelector") ?? "").split(",")].filter((term) => term !== "").map((term) => term.split("="));
    const items = [...fake.pods.values()].filter(({ metadata }) => wanted.every(([key = "", value]) => metadata.labels?.[key] === value));
    return { status: 200, body: JSON.stringify({ items }) };
  }
  const refused = missingPod(fake, url);
  if (refused !== undefined) return refused;
  const pod = fake.pods.get(podName(url) ?? "");
  if (pod === undefined) return notFound(url.pathname);
  if (!url.pathname.endsWith("/log")) return { status: 200, body: JSON.stringify(pod) };
  return { status: 200, body: lastLines(url.searchParams.has("previous") ? fake.previousLog : fake.log, url.searchParams.get("tailLines")) };
}

function lastLines(log: string, tail: string | null): string {
  return tail === null
    ? log
    : log
        .split(/(?<=\n)/)
        .slice(-Number(tail))
        .join("");
}

/** Creates, merges and deletes objects; `onChange` plays the controllers. */
export function change(fake: FakeObjects, method: string, url: URL, sent: ChangedObject): Answer {
  const path = method === "POST" ? `${url.pathname}/${sent.metadata?.name ?? ""}` : url.pathname;
  if (method === "PATCH" && podName(url) !== undefined) return patchPod(fake, url, sent);
  const found = fake.objects.get(path) as ChangedObject | undefined;
  if (method === "POST" && found !== undefined) return conflict("it already exists");
  if (method !== "POST" && found === undefined) return notFound(path);
  const version = method === "DELETE" ? sent.preconditions?.resourceVersion : sent.metadata?.resourceVersion;
  if (version !== undefined && version !== found?.metadata?.resourceVersion) return conflict("the object has been modified");
  if (method === "DELETE") fake.objects.delete(path);
  else
    fake.objects.set(path, {
      ...found,
      ...sent,
      metadata: { uid: `uid-${path}`, ...found?.metadata, ...sent.metadata, resourceVersion: String(Number(found?.metadata?.resourceVersion ?? 0) + 1) },
      spec: { ...found?.spec, ...sent.spec },
    });
  fake.onChange(path, fake.objects.get(path));
  return { status: 200, body: JSON.stringify(fake.objects.get(path) ?? {}) };
}

/** The refusal of what is asked about a pod that is not there. */
export function missingPod(fake: FakeObjects, url: URL): Answer | undefined {
  const name = podName(url);
  return name === undefined || fake.pods.has(name) ? undefined : notFound(`pods "${name}"`);
}

function podName(url: URL): string | undefined {
  return /\/pods\/([^/]+)/.exec(url.pathname)?.[1];
}

function notFound(what: string): Answer {
  return { status: 404, body: JSON.stringify({ kind: "Status", status: "Failure", message: `${what} not found`, reason: "NotFound", code: 404 }) };
}

function conflict(message: string): Answer {
  return { status: 409, body: JSON.stringify({ kind: "Status", message, code: 409 }) };
}

function patchPod(fake: FakeObjects, url: URL, { metadata }: ChangedObject): Answer {
  const name = podName(url) ?? "";
  const pod = fake.pods.get(name);
  if (pod === undefined) return notFound(`pods "${name}"`);
  const annotations = Object.fromEntries(
    Object.entries({ ...pod.metadata.annotations, ...metadata?.annotations }).filter((entry): entry is [string, string] => entry[1] !== null),
  );
  const patched: Pod = { ...pod, metadata: { ...pod.metadata, annotations } };
  fake.pods.set(name, patched);
  return { status: 200, body: JSON.stringify(patched) };
}
