/** A job that both systems run: a runner, and steps that use it. */
export interface Scenario {
  readonly title: string;
  /** Inputs of the action and of the component; `runner` is the URL. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Lines of shell; what is written to "$RESULTS" is shown. */
  readonly steps: readonly string[];
  /** Whether the job is to succeed. */
  readonly succeeds: boolean;
  /** Container of an engine that the job makes. */
  readonly container?: string | undefined;
}

export interface ScenarioFacts {
  /** An engine that runs, by URL, and its Unix socket. */
  readonly engine: string;
  readonly socket: string;
  /** Image of an engine that Docker has. */
  readonly image: string;
}

const OFFICIAL = 'echo "official CLI: $("$OFFICIAL_CLI" --progress plain core version 2>/dev/null)" >>"$RESULTS"';
const SDK = '(cd "$HELLO" && echo "SDK: $(node main.ts)" >>"$RESULTS")';
const OURS = `echo "anyrunner query: $(echo '{ version }' | anyrunner query --silent | tr -d ' \\n')" >>"$RESULTS"`;

export function scenariosOf({ engine, socket, image }: ScenarioFacts): readonly Scenario[] {
  const container = `anyrunner-test-ci-${process.pid}`;
  return [
    { title: "an engine that runs", inputs: { runner: engine }, steps: [OFFICIAL, SDK, OURS], succeeds: true },
    { title: "the embedded runner", inputs: { runner: "embedded://" }, steps: [SDK, OURS], succeeds: true },
    {
      title: "an engine that the job makes",
      inputs: { runner: `docker-image://${image}?container=${container}&config=none` },
      steps: [OFFICIAL, SDK],
      succeeds: true,
      container,
    },
    {
      title: "a driver from the registry, added by name",
      inputs: { runner: `hop://${socket}`, drivers: "anyrunner-driver-hop" },
      steps: [OFFICIAL, SDK, 'echo "drivers: $(anyrunner drivers hop | grep -o "anyrunner-driver-hop 1.0.0" | head -n 1)" >>"$RESULTS"'],
      succeeds: true,
    },
    { title: "the same URL without the driver", inputs: { runner: `hop://${socket}` }, steps: [OFFICIAL], succeeds: false },
    { title: "a container that isn't there", inputs: { runner: "docker-container://no-such-engine" }, steps: [OFFICIAL], succeeds: false },
    { title: "a step that fails", inputs: { runner: engine }, steps: [OURS, "exit 3"], succeeds: false },
  ];
}
