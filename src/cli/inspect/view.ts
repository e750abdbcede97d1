// How an inspection reads on a terminal: what it is, how large its parts are, what to paste.
import type { Inspection } from "../inspection/inspect.ts";
import type { KnownModel } from "../inspection/known-model.ts";
import type { Quantization } from "../inspection/config/quantization.ts";
import type { Origin } from "../inspection/target.ts";
import { table, yamlOf } from "../output.ts";
import type { Style } from "../terminal.ts";
import type { ModelSpec } from "./model-spec.ts";

export type Styler = (style: Style, text: string) => string;

/** The facts and the spec under them. */
export function inspectionView(
  inspection: Inspection,
  spec: ModelSpec | undefined,
  notes: readonly string[],
  style: Styler,
): string {
  const { origin, known } = inspection;
  return [
    `${style("bold", titleOf(origin))}\n`,
    indent(table(factRows(inspection)), 2),
    "\n  Bytes by part\n",
    indent(table(partRows(inspection)), 4),
    ...notes.map((note) => `\n  Note: ${note}\n`),
    ...(known === undefined ? [] : [`\n${style("green", knownText(known))}\n`]),
    ...(spec === undefined ? [] : [`\nTo paste under spec:\n\n${yamlOf({ model: spec })}`]),
  ].join("");
}

function titleOf(origin: Origin): string {
  if (origin.kind === "huggingFace") return `${origin.repository} @ ${origin.revision}`;
  if (origin.kind === "ollama") return `${origin.name} in Ollama's registry @ ${origin.digest}`;
  return origin.path;
}

function factRows({ facts, files, readBytes }: Inspection): readonly (readonly string[])[] {
  const { architecture: a, quantization } = facts;
  const stored = Object.values(facts.storedBytes).reduce((sum, bytes) => sum + bytes, 0);
  const types = facts.bytesByType.slice(0, 4).map(({ type, bytes }) => `${type} ${percent(bytes, stored)}`);
  return [
    ["Parameters", count(facts.parameters)],
    [
      "Layers",
      `${count(a.layers)} of width ${count(a.hiddenSize)}, feed-forward ${count(a.feedForwardSize)}`,
    ],
    ["Heads", `${a.attentionHeads} of ${a.headDimension}, ${a.keyValueHeads} for keys and values`],
    [
      "Vocabulary",
      `${count(a.vocabularySize)}, output head ${a.tiedEmbeddings ? "tied to the embeddings" : "of its own"}`,
    ],
    ["Context", `${count(a.maxPositions)} tokens`],
    ["Format", `${facts.format}: ${types.join(", ")}`],
    ["Quantised", quantization === undefined ? "no" : quantizationText(quantization)],
    [
      "Read",
      `${count(readBytes)} bytes of ${count(stored)}, ${files.length === 1 ? "1 file" : `${files.length} files`}`,
    ],
  ];
}

function quantizationText({ method, elements, block, excluded, fp8KvCache }: Quantization): string {
  const shown = excluded.slice(0, 3).join(", ");
  const more = excluded.length > 3 ? ` and ${excluded.length - 3} more` : "";
  return [
    `${method}, ${elements}`,
    ...(block === undefined ? [] : [blockText(block)]),
    ...(excluded.length === 0 ? [] : [`not ${shown}${more}`]),
    ...(fp8KvCache ? ["KV cache declared FP8"] : []),
  ].join("; ");
}

/** What shares one scale. */
function blockText({ outputs, inputs }: NonNullable<Quantization["block"]>): string {
  if (inputs === undefined) return "a scale for each row";
  return outputs === 1 ? `groups of ${inputs}` : `blocks of ${outputs} x ${inputs}`;
}

function partRows({ facts: { storedBytes: b } }: Inspection): readonly (readonly string[])[] {
  const rows: readonly (readonly [string, number])[] = [
    ["attention", b.attention],
    ["feed-forward", b.feedForward],
    ["norms", b.layerNorms + b.finalNorm],
    ["scales", b.layerScales],
    ["embeddings", b.embeddings],
    ["output head", b.head],
    ["not loaded", b.unused],
  ];
  const total = rows.reduce((sum, [, bytes]) => sum + bytes, 0);
  const digits = count(total).length;
  return [
    ...rows.filter(([name, bytes]) => bytes > 0 || name !== "not loaded"),
    ["total", total] as const,
  ].map(([name, bytes]) => [name, count(bytes).padStart(digits), gib(bytes)]);
}

function knownText(known: KnownModel): string {
  if (known.by === "architecture") {
    return `Its architecture is that of ${known.models.join(", ")} in the catalog; the weights are not.`;
  }
  const enough = known.pinned
    ? `"model: {name: ${known.model}}" plans and serves it`
    : "name it, with this source";
  return `The catalog knows this model as ${known.model}; no profile is needed: ${enough}.`;
}

const count = (value: number) => value.toLocaleString("en-US");
const percent = (part: number, whole: number) => `${((part / Math.max(whole, 1)) * 100).toFixed(1)} %`;
const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2).padStart(7)} GiB`;

function indent(text: string, columns: number): string {
  return text.replaceAll(/^(?=.)/gm, " ".repeat(columns));
}
