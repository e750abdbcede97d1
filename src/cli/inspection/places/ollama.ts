// Models of the Ollama registry, which speaks Docker's registry API: a manifest by name and tag, blobs by digest.
// Sources: docker distribution, "Image Manifest V2, Schema 2"; ollama/ollama, types/model/name.go (names and defaults)
// and server/images.go (media types). Blobs are redirected to signed addresses of another host.
import { createHash } from "node:crypto";
import { z } from "zod";
import { InspectionError, quoted } from "../errors.ts";
import { parseDocument } from "../json-document.ts";
import type { ByteSource } from "../reading/byte-source.ts";
import type { HttpClient, HttpRefusal } from "../reading/http-client.ts";
import { openHttp } from "../reading/http-source.ts";
import { under } from "../reading/server-url.ts";

export const publicRegistry = "https://registry.ollama.ai";

/** `llama3.1:70b`, or `somebody/llama3.1:70b`. */
export interface OllamaName {
  readonly namespace: string;
  readonly model: string;
  readonly tag: string;
}

const namePattern =
  /^(?:([A-Za-z0-9][-\w]{0,79})\/)?([A-Za-z0-9][-\w.]{0,79})(?::([A-Za-z0-9_][-\w.]{0,79}))?$/;

/** Reads a name; namespace `library` and tag `latest` where it has none. @throws InspectionError */
export function parseOllamaName(text: string): OllamaName {
  const [, namespace = "library", model, tag = "latest"] = namePattern.exec(text) ?? [];
  if (model === undefined) {
    throw new InspectionError(
      "target",
      `ollama:${text}: not a name of the Ollama registry, such as ollama:llama3.1:70b`,
    );
  }
  return { namespace, model, tag };
}

/** A model's weights and what pins them. */
export interface OllamaModel {
  /** Digest of the manifest: tags move. */
  readonly digest: string;
  /** Digest of the layer with the weights, a GGUF file. */
  readonly weightsDigest: string;
  readonly weights: ByteSource;
}

const maxManifestBytes = 4 * 1_048_576;
const headBytes = 1_048_576;
const modelMediaType = "application/vnd.ollama.image.model";

const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  layers: z
    .array(
      z.object({
        mediaType: z.string().max(256),
        digest: z.string().regex(/^sha256:[0-9a-f]{64}$/, "is not a SHA-256 digest"),
        size: z.int().min(0),
      }),
    )
    .max(1024),
});

/** Reads the manifest and opens the weights. @throws InspectionError */
export async function findInOllama(
  client: HttpClient,
  registry: URL,
  name: OllamaName,
  signal: AbortSignal,
): Promise<OllamaModel> {
  const path = `${name.namespace}/${name.model}`;
  const label = `${name.model}:${name.tag}`;
  const explain = ({ status }: HttpRefusal) =>
    status === 404
      ? new InspectionError("notFound", `${path}:${name.tag}: ${registry.host} has no such model or tag`)
      : undefined;
  const manifestUrl = under(registry, `/v2/${path}/manifests/${name.tag}`);
  const bytes = await client.document({ url: manifestUrl, name: label, explain }, maxManifestBytes, signal);
  const { layers } = parseDocument(`the manifest of ${label}`, bytes.toString("utf8"), manifestSchema);
  const models = layers.filter(({ mediaType }) => mediaType === modelMediaType);
  const [layer] = models;
  if (layer === undefined || models.length > 1) {
    const kinds = [...new Set(layers.map(({ mediaType }) => mediaType))].slice(0, 5).map(quoted).join(", ");
    throw new InspectionError(
      "unsupported",
      `${label}: its manifest has ${models.length} layers of weights in GGUF, and one is needed; it has ${kinds}`,
    );
  }
  const url = under(registry, `/v2/${path}/blobs/${layer.digest}`);
  const weights = await openHttp(
    client,
    { url, name: `${label} (${layer.digest.slice(0, 19)})`, explain },
    headBytes,
    signal,
  );
  if (weights.sizeBytes !== layer.size) {
    throw new InspectionError(
      "malformed",
      `${label}: its manifest says ${layer.size} bytes of weights, and the blob has ${weights.sizeBytes}`,
    );
  }
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return { digest, weightsDigest: layer.digest, weights };
}
