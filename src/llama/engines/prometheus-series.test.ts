import { describe, expect, test } from "vitest";
import { maxMetricsPageBytes, MetricsPageError, seriesOf } from "./prometheus-series.ts";

function codeOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof MetricsPageError) return error.code;
    throw error;
  }
  return "none";
}

describe("the series of a metric", () => {
  test("are those of its very name, in the order of the page", () => {
    const page = [
      "# HELP up Whether it is up.",
      "# TYPE up gauge",
      'up{engine="1"} 1.0',
      'up_total{engine="2"} 1.0',
      'not_up{engine="3"} 1.0',
      'up{engine="0",} 1.0 1395066363000',
      "up 1.0",
      "",
    ].join("\n");
    expect(seriesOf(page, "up")).toEqual([{ engine: "1" }, { engine: "0" }, {}]);
  });

  test("may hold quotes, braces, commas and backslashes in their values", () => {
    const page = String.raw`up{path="C:\\dir",said="a \"b\", {c}",lines="one\ntwo"} 1`;
    expect(seriesOf(page, "up")).toEqual([{ path: "C:\\dir", said: 'a "b", {c}', lines: "one\ntwo" }]);
  });

  test("are none on a page that is something else", () => {
    for (const page of ["", "<html>up</html>", '{"up": 1}', "\u0000\u0001"]) {
      expect(seriesOf(page, "up")).toEqual([]);
    }
  });

  test.each([
    ["a value without an end", 'up{engine="0'],
    ["a label without a value", "up{engine} 1"],
    ["two labels without a comma", 'up{a="1" b="2"} 1'],
    ["more labels than any metric has", `up{${'a="1",'.repeat(300)}} 1`],
    ["a line without an end", `up{a="${"x".repeat(100_000)}"} 1`],
  ])("are refused for %s", (_case, page) => {
    expect(codeOf(() => seriesOf(page, "up"))).toBe("malformed");
  });

  test("are refused on a page beyond the bound", () => {
    expect(codeOf(() => seriesOf("#".repeat(maxMetricsPageBytes + 1), "up"))).toBe("too-large");
  });

  test("are found at the end of a page of the largest size without delay", () => {
    const filler = 'up_total{engine="0"} 1\n'.repeat(180_000);
    expect(seriesOf(`${filler}up{engine="9"} 1`, "up")).toEqual([{ engine: "9" }]);
  });
});
