// The `spec.model` that an inspection leads to, checked by the kind's own schema before anybody pastes it.
import type { z } from "zod";
import { model } from "@llama-operator/llama/api";
import type { Inspection } from "../inspection/inspect.ts";
import type { Origin } from "../inspection/target.ts";

export type ModelSpec = z.output<typeof model>;

/** Stands for the volume that the weights will be on. */
export const placeholderClaim = "model-weights";

/** The spec to paste; undefined where the operator cannot describe the weights. */
export function modelSpecOf({ origin, facts }: Inspection): ModelSpec | undefined {
  if (facts.profile.kind === "none") return undefined;
  return model.parse({ name: modelName(origin), source: sourceOf(origin), profile: facts.profile.profile });
}

function sourceOf(origin: Origin): NonNullable<ModelSpec["source"]> {
  if (origin.kind !== "huggingFace") return { persistentVolumeClaim: { claimName: placeholderClaim } };
  const { repository, revision, gated } = origin;
  return {
    huggingFace: {
      repository,
      revision,
      ...(gated ? { tokenSecretRef: { name: "hf-token", key: "token" } } : {}),
    },
  };
}

/** A name that the kind allows, from the last part of what was inspected. */
function modelName(origin: Origin): string {
  const text =
    origin.kind === "huggingFace" ? origin.repository : origin.kind === "ollama" ? origin.name : origin.path;
  const last = text.replace(/\/+$/, "").split("/").at(-1) ?? "";
  const name = last
    .toLowerCase()
    .replace(/\.(?:gguf|safetensors)$/, "")
    .replaceAll(/[^-a-z0-9.]+/g, "-")
    .slice(0, 63)
    .replaceAll(/^[-.]+|[-.]+$/g, "");
  return name === "" ? "model" : name;
}
