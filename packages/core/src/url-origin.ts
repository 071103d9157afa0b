import type { CallOptions, RunnerHandle, RunnerTarget, UrlSecrets } from "./driver.ts";
import type { OptionSpec } from "./option-spec.ts";
import { redact } from "./redact.ts";
import { formatRunnerUrl, type RunnerUrl } from "./runner-url.ts";
import { secretTexts, secretTextsOf, urlSecrets } from "./url-secrets.ts";

/** What this process knows of the URL behind a target or a handle. */
export interface UrlOrigin {
  /** For messages: the URL with secrets hidden, or the name or id of a handle that came without. */
  readonly shown: string;
  /** For the driver. */
  readonly secrets?: UrlSecrets | undefined;
  /** What must not be seen. */
  readonly hidden: readonly string[];
  /** What may stand in no target and no handle. */
  readonly unfit: readonly string[];
}

export interface UrlOrigins {
  ofUrl(url: RunnerUrl): UrlOrigin;
  /** `options` count where they have secrets. */
  of(subject: RunnerTarget | RunnerHandle, options: CallOptions): UrlOrigin;
  remember(subject: object, origin: UrlOrigin): void;
}

/** Remembers for the very objects that came of a URL which one that was. */
export function createUrlOrigins(driver: string, specs: readonly OptionSpec[]): UrlOrigins {
  const known = new WeakMap<object, UrlOrigin>();
  const secretParams = specs.filter(({ secret }) => secret).map(({ name }) => name);
  // Of NAME=VALUE, or of another's URL, too much is an everyday word.
  const whole = specs.filter(({ secretAfter }) => secretAfter === undefined);
  const unfit = (texts: readonly string[], shown: string) => texts.filter((text) => text !== driver && !shown.includes(text));
  return {
    ofUrl(url) {
      const shown = formatRunnerUrl(url, { secretParams });
      const hidden = secretTextsOf(url, specs);
      return { shown, secrets: urlSecrets(url, specs), hidden, unfit: unfit(secretTexts(urlSecrets(url, whole)), shown) };
    },
    of(subject, { secrets }) {
      const found = known.get(subject);
      if (found !== undefined && (secrets === undefined || secrets === found.secrets)) return found;
      const hidden = [...(found?.hidden ?? []), ...secretTexts(secrets, specs)];
      const shown = found?.shown ?? redact(isHandle(subject) ? nameOf(subject) : String(subject["url"]), hidden);
      return { shown, secrets, hidden, unfit: found?.unfit ?? unfit(hidden, shown) };
    },
    remember(subject, origin) {
      known.set(subject, origin);
    },
  };
}

/** Ids are long and say nothing; what has a name for people keeps it there. */
function nameOf({ id, endpoint: { name } }: RunnerHandle): string {
  return typeof name === "string" ? name : id;
}

function isHandle(subject: RunnerTarget | RunnerHandle): subject is RunnerHandle {
  return typeof subject["id"] === "string" && typeof subject["endpoint"] === "object";
}
