// Builds the package @llama-operator/infra: JavaScript with types, because Node runs no TypeScript under node_modules.
// Its folders are those of the repository, so that every import and path in them stays what it is in a checkout. It
// brings @llama-operator/llama along as a bundled dependency: that one is in no registry, and one archive installs alone.
//
//   node scripts/build-infra.ts [folder]     dist/infra unless said otherwise; `npm pack dist/infra` makes the archive
import { execFile } from "node:child_process";
import { chmod, cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, "..");
const target = resolve(process.argv[2] ?? join(root, "dist", "infra"));

const llama = "@llama-operator/llama";
const policySdk = "@pulumi/policy";
const cloudSdks: readonly string[] = ["@pulumi/aws", "@pulumi/azure-native", "@pulumi/gcp"];

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
await promisify(execFile)(
  process.execPath,
  [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.package.json", "--outDir", target],
  { cwd: root },
);
await bundleLlama();
await Promise.all([
  cp(join(root, "charts"), join(target, "charts"), { recursive: true }),
  cp(join(root, "LICENSE"), join(target, "LICENSE")),
  cp(join(root, "infra", "README.md"), join(target, "README.md")),
  cp(join(root, "infra", "stacks"), join(target, "infra", "stacks"), { recursive: true }),
  copyPolicyPack(),
  writeManifest(),
]);

/** What the compiler made of src/llama moves to where Node and TypeScript look for the package. */
async function bundleLlama(): Promise<void> {
  const to = join(target, "node_modules", llama);
  await mkdir(dirname(to), { recursive: true });
  await rename(join(target, "src", "llama"), to);
  await rm(join(target, "src"), { recursive: true });
  const manifest = await readManifest(join(root, "src", "llama", "package.json"));
  const { name, version, description, license, dependencies } = manifest;
  const { "./testing": _, ...published } = manifest.exports;
  await writeJson(join(to, "package.json"), {
    name,
    version,
    description,
    license,
    type: "module",
    exports: builtExports(published, "."),
    dependencies,
  });
}

/** The pack's folder is what `--policy-pack` takes: with its program's name changed to that of the built one. */
async function copyPolicyPack(): Promise<void> {
  const [from, to] = [join(root, "infra", "policies"), join(target, "infra", "policies")];
  const manifest = await readManifest(join(from, "package.json"));
  await cp(join(from, "PulumiPolicy.yaml"), join(to, "PulumiPolicy.yaml"));
  await writeJson(join(to, "package.json"), { ...manifest, main: "main.js" });
  const starter = await readFile(join(from, "llama-operator-policies"), "utf8");
  await writeFile(join(to, "llama-operator-policies"), starter.replaceAll("main.ts", "main.js"));
  await chmod(join(to, "llama-operator-policies"), 0o755);
}

/**
 * The workspace's own, with entries of what was built. Pulumi's SDKs are the program's own, so that there is one of each;
 * of the clouds' it needs that of its cloud alone.
 */
async function writeManifest(): Promise<void> {
  const manifest = await readManifest(join(root, "infra", "package.json"));
  const { name, version, description, license, dependencies } = manifest;
  const sdks = Object.entries(dependencies).filter(
    ([each]) => each.startsWith("@pulumi/") && each !== policySdk,
  );
  await writeJson(join(target, "package.json"), {
    name,
    version,
    description,
    license,
    type: "module",
    // What a program imports: the package itself, and each cloud by its name. The files of tsconfig.package.json.
    exports: builtExports(manifest.exports, "./infra"),
    bundledDependencies: [llama],
    dependencies: {
      [llama]: dependencies[llama],
      [policySdk]: dependencies[policySdk],
      yaml: dependencies["yaml"],
      zod: dependencies["zod"],
    },
    peerDependencies: Object.fromEntries(sdks.map(([each, tested]) => [each, `^${tested}`])),
    peerDependenciesMeta: Object.fromEntries(
      sdks.filter(([each]) => cloudSdks.includes(each)).map(([each]) => [each, { optional: true }]),
    ),
    // Pulumi loads a policy pack with require(), which takes ECMAScript modules from then on.
    engines: { node: ">=22.12" },
  });
}

/** The entries of a workspace, as what was built of its TypeScript in `folder`. */
function builtExports(exports: Manifest["exports"], folder: string): object {
  return Object.fromEntries(
    Object.entries(exports).map(([entry, source]) => {
      const module = `${folder}/${source.slice("./".length).replace(/\.ts$/, "")}`;
      return [entry, { types: `${module}.d.ts`, default: `${module}.js` }];
    }),
  );
}

async function readManifest(path: string): Promise<Manifest> {
  return JSON.parse(await readFile(path, "utf8")) as Manifest;
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
