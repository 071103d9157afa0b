import { RunnerError, suggest } from "@anyrunner/core";
import { Command, Option } from "commander";

import { addBridgeCommand } from "./add-bridge-command.ts";
import { addCertsCommands } from "./add-certs-commands.ts";
import { addDriverCommands } from "./add-driver-commands.ts";
import { addImageCommands } from "./add-image-commands.ts";
import { addRunnerCommands, type AddCommand } from "./add-runner-commands.ts";
import { createContext, type GlobalOptions } from "./command-context.ts";
import { warnOfVisibleSecrets } from "./visible-secrets.ts";

export interface CreateProgramOptions {
  readonly argv: readonly string[];
  readonly version: string;
  readonly setExitCode: (code: number) => void;
}

type Values = Readonly<Record<string, unknown>>;

/** The command line as commander knows it. What a command does is loaded when it is called, and not for help or completion. */
export async function createProgram(options: CreateProgramOptions): Promise<Command> {
  const { argv, version, setExitCode } = options;
  const program = new Command("anyrunner")
    .description("Use any Dagger runner from any Dagger client")
    .option("-V, --version", "print the version")
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride()
    // The message of the exception is printed once, by main.
    .configureOutput({ outputError: () => {} })
    .allowExcessArguments()
    .action(() => {
      const [unknown] = program.args;
      if (unknown !== undefined) throw unknownCommand(unknown, program);
      if (program.opts()["version"] === true) process.stdout.write(`anyrunner ${version}\n`);
      else program.help();
    });
  addGlobalOptions(program);

  const add: AddCommand = (parent, usage, description, action) => {
    const command = parent.command(usage).description(description).allowExcessArguments(false);
    addGlobalOptions(command);
    return command.action(async () => {
      // The nearest value wins: commander's own merge prefers the outer one.
      const values: Values = { ...program.opts(), ...command.opts() };
      const context = createContext(values as GlobalOptions, version);
      const runners = command.registeredArguments.map((argument, index) => (/^(runner|url)$/.test(argument.name()) ? command.args[index] : undefined));
      warnOfVisibleSecrets(context.report, [text(values["runner"]), ...runners]);
      setExitCode(await action(context, values, command.args));
    });
  };

  const run = add(program, "run", "run a command with a session in its environment", async (context, values, args) => {
    const [{ runCommand }, { parseDuration }] = await Promise.all([import("./commands/run.ts"), import("./parse-duration.ts")]);
    const cleanupTimeoutMs = parseDuration(String(values["cleanupTimeout"]), "--cleanup-timeout");
    return runCommand(context, { command: args, runner: text(values["runner"]), cleanupTimeoutMs });
  });
  addTraceOption(addRunnerOption(run))
    .argument("<command...>", "the program and its arguments, best behind --")
    .option("--cleanup-timeout <duration>", "how long the command may take to end when interrupted, before it is killed", "10s")
    .passThroughOptions();

  const session = add(program, "session", "open a session for an SDK, as `dagger session` does", async (context, values) => {
    const { sessionCommand } = await import("./commands/session.ts");
    return sessionCommand(context, {
      runner: text(values["runner"]),
      labels: list(values["label"]),
      clientVersion: text(values["version"]),
      metadata: {
        ...(typeof values["workspace"] === "string" ? { workspace: values["workspace"] } : {}),
        ...(values["loadWorkspaceModules"] === true ? { loadWorkspaceModules: true } : {}),
        ...(values["skipWorkspaceModules"] === true ? { skipWorkspaceModules: true } : {}),
      },
    });
  });
  addTraceOption(addRunnerOption(session))
    .option("--version <version>", "the version that the SDK states")
    .option("--label <key:value>", "a label of the session; repeatable", collect, [])
    .option("-W, --workspace <reference>", "the workspace to load")
    .addOption(new Option("--load-workspace-modules", "load the modules of the workspace").conflicts("skipWorkspaceModules"))
    .option("--skip-workspace-modules", "load no modules of the workspace")
    .addOption(new Option("--project <path>").hideHelp());

  const query = add(program, "query", "send a GraphQL query and print its data", async (context, values, args) => {
    const { queryCommand } = await import("./commands/query.ts");
    return queryCommand(context, {
      runner: text(values["runner"]),
      operationName: args[0],
      doc: text(values["doc"]),
      variables: list(values["var"]),
      variablesJson: text(values["varJson"]),
    });
  });
  addTraceOption(addRunnerOption(query))
    .argument("[operation]", "the operation to execute when the document holds several")
    .option("--doc <file>", "file with the query (default: standard input)")
    .option("--var <name=value>", "a variable; repeatable", collect, [])
    .option("--var-json <json>", "all variables as one JSON object");

  addRunnerOption(addBridgeCommand(program, add));

  addDriverCommands(program, add);
  addRunnerCommands(program, add);
  addCertsCommands(program, add);
  addImageCommands(program, add);
  addRunnerOption(
    add(program, "doctor", "check everything between here and a session, with the remedy for what is wrong", async (context, values, [runner]) =>
      (await import("./commands/doctor.ts")).doctorCommand(context, { runner: runner ?? text(values["runner"]), fetch: text(values["fetch"]) }),
    ),
  )
    .argument("[runner]", "a name, a URL, or an id that `anyrunner ls` shows (default: the runner that would be used)")
    .option("--fetch <url>", "let the engine fetch this URL, too: its name resolution and its way out");
  addRunnerOption(
    add(program, "env", "print variables with which official clients use the runner", async (context, values) =>
      (await import("./commands/env.ts")).envCommand(context, { runner: text(values["runner"]), shell: text(values["shell"]) }),
    ),
  ).option("--shell <name>", "whose syntax: bash, zsh, fish or powershell (default: by SHELL)");
  add(program, "version", "print the versions of everything", async (context) => (await import("./commands/version.ts")).versionCommand(context));

  const embedded = program
    .command("embedded")
    .description("the embedded runner as a service")
    .action(() => embedded.help());
  add(embedded, "serve", "serve the embedded runner until interrupted", async (context, values) =>
    (await import("./commands/embedded.ts")).serveCommand(context, { listen: text(values["listen"]) ?? "", state: text(values["state"]) }),
  )
    .requiredOption("--listen <url>", "where: unix:///path or tcp://127.0.0.1:port")
    .option("--state <folder>", "folder for what the runner remembers");
  add(embedded, "build-image", "build a container image of the embedded runner, with no registry", async (context, values) =>
    (await import("./commands/embedded.ts")).buildImageCommand(context, { tag: text(values["tag"]) }),
  ).option("--tag <name>", "name of the image");

  await addCompletion(program, argv);
  return program;
}

function addGlobalOptions(command: Command): void {
  command
    .option("--json", "print results and errors as JSON")
    .option("--progress <mode>", "how progress is shown: auto, plain, tty, json or quiet")
    .option("--workdir <folder>", "work in this folder")
    .option("-s, --silent", "show no progress")
    .option("-q, --quiet", "show errors only; the same as --silent")
    .addOption(new Option("-v, --verbose").hideHelp());
}

function addTraceOption(command: Command): Command {
  return command.option("--trace-file <path>", "save traces, logs and metrics as OTLP JSON lines in this file");
}

function addRunnerOption(command: Command): Command {
  return command.option("--runner <url>", "the runner, by URL or name; wins over every other way to name one");
}

/** The completion library is loaded only to complete; else a line in the help stands for it. */
async function addCompletion(program: Command, argv: readonly string[]): Promise<void> {
  if (argv[0] === "completion" || argv[0] === "complete") {
    const { addCompletionCommands } = await import("./completion.ts");
    await addCompletionCommands(program);
    return;
  }
  program.command("completion").argument("<shell>", "bash, zsh, fish or powershell").description("print a script that completes in your shell");
}

function unknownCommand(word: string, program: Command): RunnerError {
  const names = program.commands.map((command) => command.name());
  const nearest = suggest(word, names);
  return new RunnerError("USAGE", `unknown command "${word}"`, {
    hint: nearest === undefined ? `commands are ${names.join(", ")}` : `did you mean "${nearest}"? see anyrunner --help`,
  });
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
