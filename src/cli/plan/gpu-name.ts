// Which GPU of the catalog `--gpu` names. People leave away the vendor, and the memory where a card has one size; what
// else is left away may be another card: an L4 is no L40S, an A10 no A100.
import { findGpu, gpus, nearestNames } from "@llama-operator/llama/catalog";

/** The catalog's name of a GPU, or what to say where there is none or more than one. */
export type NamedGpu = { readonly product: string } | { readonly problem: string };

/** Finds the card that `text` names: `h100`, `nvidia-h100-80gb`, `H100 80GB`. */
export function namedGpu(text: string): NamedGpu {
  const plain = text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, "-");
  const exact = findGpu(plain) ?? gpus.find((gpu) => shortNames(gpu).includes(plain));
  if (exact !== undefined) return { product: exact.name };
  const sizes = gpus.filter((gpu) => shortNames(gpu).map(withoutMemory).includes(plain));
  const [only] = sizes;
  if (only !== undefined && sizes.length === 1) return { product: only.name };
  if (sizes.length > 1) {
    return { problem: `may be any of ${sizes.map(({ name }) => name).join(", ")}: say which` };
  }
  return { problem: `not in the catalog; nearest are ${nearest(plain).join(", ")}` };
}

/** What people write of its names: without the vendor, and without the line that it belongs to (`rtx-4090`). */
function shortNames({ name, aliases }: (typeof gpus)[number]): readonly string[] {
  return [name, ...aliases].flatMap((each) => {
    const card = each.replace(/^(?:nvidia|amd)-/, "");
    return [card, card.replace(/^(?:geforce-)?(?:rtx|instinct)-/, "")];
  });
}

/** `h100` of `h100-80gb`. */
const withoutMemory = (name: string) => name.replace(/-\d+gb$/, "");

/** The three cards whose names are nearest, as people write them. */
function nearest(plain: string): readonly string[] {
  const productOf = new Map(
    gpus.flatMap((gpu) =>
      shortNames({ ...gpu, aliases: [] }).map((short) => [withoutMemory(short), gpu.name]),
    ),
  );
  const near = nearestNames(withoutMemory(plain.replace(/^(?:nvidia|amd)-/, "")), [...productOf.keys()], 6);
  return [...new Set(near.map((key) => productOf.get(key) ?? key))].slice(0, 3);
}
