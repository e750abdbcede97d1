// Checkpoints that lie elsewhere, read through the front door from servers on loopback.
import { afterEach, expect, test } from "vitest";
import { findModel } from "@llama-operator/llama/catalog";
import type { InspectionError } from "../errors.ts";
import { inspect } from "../inspect.ts";
import type { Target } from "../target.ts";
import { llamaConfig, llamaTensors, sharded, textFile, tinyLlama } from "../testing/checkpoint-files.ts";
import { startFakeHub } from "../testing/fake-hub.ts";
import { ggufHead, llamaGgufTensors, llamaMetadata } from "../testing/gguf-writer.ts";
import { endings, inspectionContext } from "../testing/inspection-context.ts";

const { onEnd, endAll } = endings();
afterEach(endAll);

test("405B in 191 shards is read from a hub in one request a shard, and its catalog name is found", async () => {
  const architecture = findModel("llama-3.1-405b-instruct")?.architecture ?? tinyLlama;
  const repository = "meta-llama/Llama-3.1-405B-Instruct";
  const commit = "be673f326cab4cd22ccfef76109faf68e41aa5f1";
  const hub = await startFakeHub({
    repository,
    commit,
    files: new Map([
      ["config.json", textFile(llamaConfig(architecture))] as const,
      ...sharded(llamaTensors(architecture), 191),
    ]),
  });
  onEnd(() => hub.close());
  const done: number[] = [];
  const { facts, files, known, origin } = await inspect(
    { kind: "hub", endpoint: new URL(hub.url), repository, revision: "main" },
    { ...inspectionContext(onEnd), onProgress: ({ done: count }) => done.push(count) },
  );
  expect(Object.values(facts.storedBytes).reduce((sum, bytes) => sum + bytes, 0)).toBe(405_853_388_800 * 2);
  expect(files).toHaveLength(191);
  expect(done).toEqual(Array.from({ length: 191 }, (_, index) => index + 1));
  expect(hub.requests.filter(({ server }) => server === "store")).toHaveLength(191);
  expect(origin).toEqual({ kind: "huggingFace", repository, revision: commit, gated: false });
  expect(known).toEqual({ by: "repository", model: "llama-3.1-405b-instruct", pinned: true });
}, 30_000);

test("an Ollama model is read by its manifest, and pinned by digests", async () => {
  const llama = { ...tinyLlama, hiddenSize: 256, headDimension: 64, feedForwardSize: 512 };
  const blob = ggufHead(llamaMetadata(llama, 300_000), llamaGgufTensors(llama));
  const digest = `sha256:${"ab".repeat(32)}`;
  const layer = (kind: string, size: number) => ({
    mediaType: `application/vnd.ollama.image.${kind}`,
    digest,
    size,
  });
  const manifest = { schemaVersion: 2, layers: [layer("model", blob.sizeBytes), layer("license", 12)] };
  const hub = await startFakeHub({
    files: new Map([
      ["/v2/library/llama3.1/manifests/70b", textFile(JSON.stringify(manifest))],
      [`/v2/library/llama3.1/blobs/${digest}`, blob],
    ]),
  });
  onEnd(() => hub.close());
  const target = (tag: string): Target => ({
    kind: "ollama",
    registry: new URL(hub.url),
    name: { namespace: "library", model: "llama3.1", tag },
  });
  const { origin, facts } = await inspect(target("70b"), inspectionContext(onEnd));
  expect(origin).toMatchObject({ kind: "ollama", name: "llama3.1:70b", weightsDigest: digest });
  expect(origin).toHaveProperty("digest", expect.stringMatching(/^sha256:[0-9a-f]{64}$/));
  expect(facts.architecture).toEqual(llama);
  expect(
    (
      (await inspect(target("71b"), inspectionContext(onEnd)).catch(
        (error: unknown) => error,
      )) as InspectionError
    ).message,
  ).toContain("no such model or tag");
});
