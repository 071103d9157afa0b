import type { CallOptions, RunnerDriver, UrlSecrets } from "./driver.ts";

/**
 * The same driver, which gets these secrets with each call that has none of its own: for handles that didn't come of their URL in this
 * process, but whose URL is known, as that of a runner with a name is.
 */
export function driverWithSecrets(driver: RunnerDriver, secrets: UrlSecrets | undefined): RunnerDriver {
  if (secrets === undefined) return driver;
  const filled = <Options extends CallOptions>(options: Options): Options => ({ ...options, secrets: options.secrets ?? secrets });
  const { inspect, logs, start, stop, destroy } = driver;
  return {
    ...driver,
    probe: (target, options) => driver.probe(target, filled(options)),
    provision: (target, options) => driver.provision(target, filled(options)),
    connect: (handle, options) => driver.connect(handle, filled(options)),
    ...(inspect && { inspect: (handle, options) => inspect.call(driver, handle, filled(options)) }),
    ...(logs && { logs: (handle, options) => logs.call(driver, handle, filled(options)) }),
    ...(start && { start: (handle, options) => start.call(driver, handle, filled(options)) }),
    ...(stop && { stop: (handle, options) => stop.call(driver, handle, filled(options)) }),
    ...(destroy && { destroy: (handle, options) => destroy.call(driver, handle, filled(options)) }),
  };
}
