// Whether a range of addresses has room for all the nodes that a stack may have. Clouds take a range that is too small,
// and nodes beyond it never come.
import { counted } from "@llama-operator/llama/planning";
import type { ConfigurationProblem } from "../config/problem.ts";
import { ipv4Addresses, parseIpv4Block } from "./ipv4.ts";

interface Room {
  /** Field of the range. */
  readonly path: string;
  readonly range: string;
  /** Addresses that each node takes of it. */
  readonly perNode: number;
  /** Addresses that the cloud keeps for itself. */
  readonly reserved: number;
}

/** What is wrong where `nodes` do not fit, with the prefix that has room for them. */
export function roomProblems(
  { path, range, perNode, reserved }: Room,
  nodes: number,
): readonly ConfigurationProblem[] {
  const room = Math.max(0, Math.floor((ipv4Addresses(parseIpv4Block(range)) - reserved) / perNode));
  if (room >= nodes) return [];
  const prefix = 32 - Math.ceil(Math.log2(nodes * perNode + reserved));
  return [
    {
      path,
      message: `${range} has room for ${counted(room, "node")}, and the stack may have ${nodes}: write a /${prefix} or larger, or smaller nodes.max`,
    },
  ];
}
