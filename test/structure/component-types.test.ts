// What stacks of earlier releases have in their state is still known: a component whose type is gone from the sources, also
// as an alias, is another component to Pulumi, and all that is in it is made anew, pools of GPUs too.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sourceFiles } from "./source-files.ts";

/** The types of a release, recorded from its sources. Add what later releases bring; take nothing out. */
const recorded = JSON.parse(
  readFileSync(new URL("../fixtures/component-types.json", import.meta.url), "utf8"),
) as Readonly<Record<string, readonly string[]>>;

const infra = sourceFiles().filter(({ path }) => path.startsWith("infra/") && !path.endsWith(".test.ts"));

test.each(Object.entries(recorded))("the component types of %s are known", (_release, types) => {
  const lost = types.filter((type) => !infra.some(({ text }) => text.includes(`"${type}"`)));
  expect(lost).toEqual([]);
});
