// The entry of both projects, started as Pulumi starts it.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);

/** Runs a project's entry as Pulumi does, on a Node that says it is `version`. */
async function started(project: string, version: string): Promise<string> {
  const entry = new URL(`./${project}/main.js`, import.meta.url).href;
  const script = `
    Object.defineProperty(process.versions, "node", { value: ${JSON.stringify(version)} });
    const { default: program } = await import(${JSON.stringify(entry)});
    await program().catch((error) => console.log(error.__pulumiRunError, error.message));`;
  return (await run(process.execPath, ["--input-type=module", "--eval", script])).stdout;
}

test.each(["platform", "serving"])(
  "%s names the Node that it needs, without a stack trace",
  async (project) => {
    const said = await started(project, "20.20.2");
    expect(said).toMatch(
      /^true Node 24 or later must be on PATH: Pulumi has started this program with Node 20\.20\.2 /,
    );
  },
);

test("an output that is undefined is none, and the others stay", async () => {
  const script = `
    import { program } from ${JSON.stringify(new URL("./entry.js", import.meta.url).href)};
    console.log(JSON.stringify(await program(async () => ({ cluster: "c", poolRecords: undefined }))()));
    console.log(Object.keys(await program(async () => ({ cluster: "c", poolRecords: undefined }))()).join());`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script]);
  expect(stdout).toBe('{"cluster":"c"}\ncluster\n');
});
