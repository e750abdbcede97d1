// A tensor of a checkpoint, as every format describes it.

/** What a header says of one tensor. */
export interface Tensor {
  readonly name: string;
  /** The format's own name of the element type: `BF16`, `F8_E4M3`, `Q4_K`. */
  readonly type: string;
  /** In the order of PyTorch: rows first. */
  readonly shape: readonly number[];
  readonly elements: number;
  readonly bytes: number;
}

/** Tensors of one checkpoint that are taken in; a dense Llama of 405B with scales has under 4,000. */
export const maxTensors = 262_144;

/** The product of `shape`, or undefined where a number no longer holds it exactly. */
export function elementCount(shape: readonly number[]): number | undefined {
  let elements = 1;
  for (const size of shape) {
    elements *= size;
    if (!Number.isSafeInteger(elements)) return undefined;
  }
  return elements;
}
