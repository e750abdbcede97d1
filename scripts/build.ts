// Bundles the program into one file with no dependencies beside it: it starts in a fraction of the time that a tree
// of packages takes, uses less memory, and is all that the image holds besides Node.
import { chmod, mkdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..");
const outfile = join(root, "dist", "llama-operator.mjs");

await mkdir(join(root, "dist"), { recursive: true });
const { metafile } = await build({
  entryPoints: [join(root, "src", "cli", "main.ts")],
  outfile,
  bundle: true,
  platform: "node",
  target: "node24",
  format: "esm",
  sourcemap: true,
  // The map names the sources; it need not repeat them.
  sourcesContent: false,
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "linked",
  metafile: true,
  banner: {
    // CommonJS packages in the bundle call require() for Node's own modules. esbuild keeps main.ts's #! line first.
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  logLevel: "warning",
});
await chmod(outfile, 0o755);

const { size } = await stat(outfile);
process.stdout.write(`${relative(root, outfile)}: ${mebibytes(size)}\n`);
for (const [name, bytes] of largestPackages(5))
  process.stdout.write(`  ${name.padEnd(28)} ${mebibytes(bytes)}\n`);

function largestPackages(count: number): readonly (readonly [string, number])[] {
  const bytesByPackage = new Map<string, number>();
  for (const output of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? "(this project)";
      bytesByPackage.set(name, (bytesByPackage.get(name) ?? 0) + bytesInOutput);
    }
  }
  return [...bytesByPackage].toSorted(([, a], [, b]) => b - a).slice(0, count);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}
