// Runs the Pulumi projects' own tests on the Node language host that comes with Pulumi's CLI, instead of the one of this
// checkout that stands for it: once more from preview to destroy, with the same engine, providers and cluster.
//
//   npm run test:stock-host     needs pulumi-language-nodejs on PATH, as every installation of Pulumi's CLI has it
import { spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** What the lane runs: both projects as they are, their first preview, the guard, a component of a user's own program. */
const files = ["local-stack", "existing-cluster", "first-preview", "guards", "renamed"].map(
  (name) => `test/infra/${name}.test.ts`,
);

const host = await onPath("pulumi-language-nodejs");
if (host === undefined) {
  console.log(
    "skipped: pulumi-language-nodejs is not on PATH. It comes with Pulumi's CLI: https://www.pulumi.com/docs/install/",
  );
} else {
  console.log(`on ${host}`);
  const child = spawn(
    process.execPath,
    [join("node_modules", "vitest", "vitest.mjs"), "run", "--project", "infra", ...files],
    {
      cwd: join(import.meta.dirname, ".."),
      env: { ...process.env, LLAMA_OPERATOR_LANGUAGE_HOST: host },
      stdio: "inherit",
    },
  );
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

async function onPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter).filter((each) => each !== "")) {
    const path = join(folder, program);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}
