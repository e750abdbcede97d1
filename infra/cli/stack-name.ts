// The name of a stack as `--stack` takes it: Pulumi's own, with an organization before it where the backend knows any.
import type { Command } from "commander";
import { CommandError, exitCodes } from "@llama-operator/cli";

export interface StackName {
  /** As Pulumi's CLI takes it. */
  readonly full: string;
  readonly organization?: string;
  /** Without the organization: the name of its configuration, and what a program sees. */
  readonly name: string;
}

/** What Pulumi allows in both. Source: pulumi/pulumi, sdk/go/common/tokens/names.go. */
const part = /^[A-Za-z0-9_.-]{1,100}$/;

/** @throws CommandError for what is no `name` and no `organization/name` */
export function parseStackName(full: string): StackName {
  const parts = full.split("/");
  const [first = "", second] = parts;
  const isName = (text: string) => part.test(text) && !/^\.+$/.test(text);
  if (parts.length > 2 || !parts.every(isName)) {
    throw new CommandError(
      `--stack ${full}: write the stack's name, or organization/name; the projects are known (llama-platform and llama-serving)`,
      { code: exitCodes.usage },
    );
  }
  return second === undefined ? { full, name: first } : { full, organization: first, name: second };
}

export interface StackOption {
  readonly stack: string;
}

export const withStack = (command: Command): Command =>
  command.requiredOption(
    "--stack <name>",
    "the stack, as name or organization/name: its configuration is infra/stacks/<name>.yaml",
  );
