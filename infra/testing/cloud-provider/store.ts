// What is there in the clouds of one test: a JSON file, because a run has a process for each provider, and a test wants
// to look. Every change is one read and one write under a lock, without a wait in between, so that a process that ends
// leaves the file whole.

import { appendFileSync, mkdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import type { PropertyMap } from "../../local-engine/protocol/properties.ts";
import type { CloudAccount, CloudRecord } from "./cloud.ts";

/** Where a double finds the file; without it there is no cloud. */
export const cloudVariable = "LLAMA_OPERATOR_CLOUD";

export interface CloudState {
  readonly serial: number;
  readonly account: CloudAccount;
  readonly records: readonly CloudRecord[];
}

/** What a cloud was asked, previews left out. */
export interface CloudRequest {
  readonly package: string;
  readonly operation: "create" | "read" | "update" | "delete" | "invoke";
  /** The Pulumi type, or the function's token. */
  readonly type: string;
  /** The resource's Pulumi name; empty for a function. */
  readonly name: string;
  readonly inputs: PropertyMap;
  /** What the cloud said where it refused. */
  readonly refusal?: string;
}

const lockPollMs = 5;
/** A lock is held for milliseconds; one that is older was left by a killed process. */
const lockTimeoutMs = 10_000;

export class CloudStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  read(): CloudState {
    try {
      return JSON.parse(readFileSync(this.#path, "utf8")) as CloudState;
    } catch (error) {
      if (isMissing(error)) return { serial: 0, account: {}, records: [] };
      throw error;
    }
  }

  /** `change` returns the new state and what the caller wants to know; what it throws changes nothing. */
  async change<Result>(change: (state: CloudState) => readonly [CloudState, Result]): Promise<Result> {
    await this.#lock();
    try {
      const [state, result] = change(this.read());
      const written = `${this.#path}.${process.pid}`;
      writeFileSync(written, `${JSON.stringify(state, undefined, 2)}\n`);
      renameSync(written, this.#path);
      return result;
    } finally {
      rmdirSync(this.#lockPath);
    }
  }

  /** What a test says of the account: quotas and reservations. */
  async setAccount(account: CloudAccount): Promise<void> {
    await this.change((state) => [{ ...state, account }, undefined]);
  }

  record(request: CloudRequest): void {
    appendFileSync(this.#requestsPath, `${JSON.stringify(request)}\n`);
  }

  requests(): readonly CloudRequest[] {
    try {
      const lines = readFileSync(this.#requestsPath, "utf8").split("\n");
      return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as CloudRequest);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  get #lockPath(): string {
    return `${this.#path}.lock`;
  }

  get #requestsPath(): string {
    return `${this.#path}.requests`;
  }

  async #lock(): Promise<void> {
    for (let waitedMs = 0; ; waitedMs += lockPollMs) {
      try {
        mkdirSync(this.#lockPath);
        return;
      } catch (error) {
        if (!hasCode(error, "EEXIST")) throw error;
      }
      if (waitedMs > lockTimeoutMs) {
        throw new Error(`${this.#lockPath} was left by a process that was killed: remove it`);
      }
      await sleep(lockPollMs);
    }
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;

const isMissing = (error: unknown): boolean => hasCode(error, "ENOENT");
