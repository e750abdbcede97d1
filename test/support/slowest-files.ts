// Names the files that a run of tests waits for most, so that a file that grows slow is seen in the run that makes it
// so. Written before vitest's own summary, whose lines stay the last ones.
import type { Reporter, TestModule, Vitest } from "vitest/node";

const count = 10;

interface TimedFile {
  readonly name: string;
  readonly seconds: number;
}

/** The files that took longest, the longest first; nothing for a run of so few files that all would be named. */
export function slowestFiles(files: readonly TimedFile[]): readonly string[] {
  if (files.length <= count) return [];
  const slowest = files.toSorted((one, other) => other.seconds - one.seconds).slice(0, count);
  return slowest.map(({ name, seconds }) => `${seconds.toFixed(1).padStart(8)} s  ${name}`);
}

/** From the start of its worker to the end of its last hook; what other files did meanwhile is in it. */
function timed(module: TestModule): TimedFile {
  const { environmentSetupDuration, prepareDuration, collectDuration, setupDuration, duration } =
    module.diagnostic();
  const milliseconds =
    environmentSetupDuration + prepareDuration + collectDuration + setupDuration + duration;
  return { name: module.relativeModuleId, seconds: milliseconds / 1000 };
}

/** The reporter of the ten slowest files; it goes before the default one. */
export class SlowestFiles implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = slowestFiles(modules.map(timed));
    if (lines.length === 0) return;
    this.#vitest?.logger.log(`\n Slowest files\n${lines.join("\n")}`);
  }
}
