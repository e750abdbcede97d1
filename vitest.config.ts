import { defineConfig } from "vitest/config";

// Unit tests lie beside their source and need nothing; integration tests share one local cluster, which their global
// set-up starts; the tests of infra have a cluster of their own and the real Pulumi engine, which is built once.
// All run file by file in parallel.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "{src,local,scripts,infra}/**/*.test.ts",
            "test/{structure,evaluate,benchmarks}/**/*.test.ts",
          ],
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/{integration,faults}/**/*.test.ts"],
          globalSetup: ["test/support/global-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "infra",
          // After the others: each of its files has a cluster and an engine of its own. Two at a time: they wait more
          // than they work.
          sequence: { groupOrder: 1 },
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
