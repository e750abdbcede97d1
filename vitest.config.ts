import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { SlowestFiles } from "./test/support/slowest-files.ts";

/** Where the operator decides; each folder's branches are covered to 90 %. */
const decidingFolders = [
  ...["plan", "prerequisites", "revision", "rollout", "children", "status", "replicas"].map(
    (step) => `src/operator/llama-deployment/${step}/**/*.ts`,
  ),
  "src/operator/capacity/**/*.ts",
];

// Unit tests lie beside their source and need nothing; integration tests share one local cluster, which their global
// set-up starts; the tests of infra have a cluster of their own and the real Pulumi engine, which is built once.
// One project after the other, and within each file by file in parallel: unit tests work, so that there is one for each
// core; the others wait more than they work.
export default defineConfig({
  test: {
    reporters: [new SlowestFiles(), "default"],
    // Asked for by `npm run coverage`: by the operator's simulation and the folders' own tests.
    coverage: {
      provider: "v8",
      reporter: ["text"],
      include: decidingFolders,
      exclude: ["**/*.test.ts", "**/testing/**"],
      thresholds: Object.fromEntries(decidingFolders.map((folder) => [folder, { branches: 90 }])),
    },
    projects: [
      {
        test: {
          name: "unit",
          sequence: { groupOrder: 0 },
          maxWorkers: availableParallelism(),
          // Those that play whole fleets in memory take a second on idle cores, and much longer on busy ones.
          testTimeout: 60_000,
          include: [
            "{src,local,scripts,infra}/**/*.test.ts",
            "test/{structure,evaluate,benchmarks,support}/**/*.test.ts",
          ],
        },
      },
      {
        test: {
          name: "integration",
          sequence: { groupOrder: 1 },
          maxWorkers: 3,
          include: ["test/{integration,faults}/**/*.test.ts"],
          globalSetup: ["test/support/global-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "infra",
          // Two at a time: each of its files has a cluster and an engine of its own.
          sequence: { groupOrder: 2 },
          maxWorkers: 2,
          include: ["test/infra/**/*.test.ts"],
          globalSetup: ["test/support/infra-setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
