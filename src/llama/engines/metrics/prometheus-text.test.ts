import { describe, expect, test } from "vitest";
import {
  maxMetricsPageBytes,
  MetricsPageError,
  readMetricsPage,
  type MetricSample,
} from "./prometheus-text.ts";

function codeOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof MetricsPageError) return error.code;
    throw error;
  }
  return "none";
}

const samplesOf = (text: string, name = "up"): readonly MetricSample[] =>
  readMetricsPage(text).samples.get(name) ?? [];
const valueOf = (text: string): number | undefined => samplesOf(`up ${text}`)[0]?.value;

test("the format's own example is read whole", () => {
  // https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-example
  const page = readMetricsPage(String.raw`# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47

# A weird metric from before the epoch:
something_weird{problem="division by zero"} +Inf -3982045

# A histogram, which has a pretty complex representation in the text format:
# HELP http_request_duration_seconds A histogram of the request duration.
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="+Inf"} 144320
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320

# TYPE rpc_duration_seconds summary
rpc_duration_seconds{quantile="0.01"} 3102
rpc_duration_seconds_sum 1.7560473e+07
`);
  expect([...page.samples.values()].flat()).toEqual([
    {
      name: "http_requests_total",
      labels: { method: "post", code: "200" },
      value: 1027,
      timestampMs: 1_395_066_363_000,
    },
    {
      name: "http_requests_total",
      labels: { method: "post", code: "400" },
      value: 3,
      timestampMs: 1_395_066_363_000,
    },
    {
      name: "msdos_file_access_time_seconds",
      labels: { path: String.raw`C:\DIR\FILE.TXT`, error: 'Cannot find file:\n"FILE.TXT"' },
      value: 1_458_255_915,
    },
    { name: "metric_without_timestamp_and_labels", labels: {}, value: 12.47 },
    {
      name: "something_weird",
      labels: { problem: "division by zero" },
      value: Infinity,
      timestampMs: -3_982_045,
    },
    { name: "http_request_duration_seconds_bucket", labels: { le: "0.05" }, value: 24_054 },
    { name: "http_request_duration_seconds_bucket", labels: { le: "+Inf" }, value: 144_320 },
    { name: "http_request_duration_seconds_sum", labels: {}, value: 53_423 },
    { name: "http_request_duration_seconds_count", labels: {}, value: 144_320 },
    { name: "rpc_duration_seconds", labels: { quantile: "0.01" }, value: 3102 },
    { name: "rpc_duration_seconds_sum", labels: {}, value: 17_560_473 },
  ]);
  expect(Object.fromEntries(page.types)).toEqual({
    http_requests_total: "counter",
    http_request_duration_seconds: "histogram",
    rpc_duration_seconds: "summary",
  });
  expect(page.help.get("http_requests_total")).toBe("The total number of HTTP requests.");
});

describe("a sample", () => {
  test("is of its very name", () => {
    const page = 'up{engine="1"} 1.0\nup_total{engine="2"} 1.0\nnot_up{engine="3"} 1.0\nup 2';
    expect(samplesOf(page).map(({ labels, value }) => [labels, value])).toEqual([
      [{ engine: "1" }, 1],
      [{}, 2],
    ]);
  });

  test("may have blanks between its parts and a comma after its last label", () => {
    expect(samplesOf('  up \t{ a = "1" , b="2",}\t3  4  ')).toEqual([
      { name: "up", labels: { a: "1", b: "2" }, value: 3, timestampMs: 4 },
    ]);
    expect(samplesOf("up{} 1")).toEqual([{ name: "up", labels: {}, value: 1 }]);
  });

  test("may have quotes, braces, commas and backslashes in the values of its labels", () => {
    const [sample] = samplesOf(String.raw`up{path="C:\\dir",said="a \"b\", {c}",lines="one\ntwo"} 1`);
    expect(sample?.labels).toEqual({ path: "C:\\dir", said: 'a "b", {c}', lines: "one\ntwo" });
  });

  test("has a value as Go prints and parses numbers", () => {
    const written = {
      "0": 0,
      "-1.5": -1.5,
      "+2": 2,
      ".5": 0.5,
      "5.": 5,
      "1e-05": 0.00001,
      "1E6": 1_000_000,
      Inf: Infinity,
      "-Inf": -Infinity,
      "+inf": Infinity,
      Infinity: Infinity,
      NaN: Number.NaN,
    };
    for (const [text, value] of Object.entries(written)) expect([text, valueOf(text)]).toEqual([text, value]);
  });
});

test("help is unescaped, and a type of another format counts as none", () => {
  const page = readMetricsPage(
    String.raw`# HELP up one\ntwo \\ three
# TYPE up gaugehistogram
#TYPE down gauge
# HELP down`,
  );
  expect([page.help.get("up"), page.help.get("down")]).toEqual(["one\ntwo \\ three", ""]);
  expect([page.types.get("up"), page.types.get("down")]).toEqual(["untyped", "gauge"]);
});

describe("of wanted metrics alone", () => {
  const wanted = new Set(["up"]);

  test("others are not even looked at, and neither is what is no page of metrics", () => {
    const page = readMetricsPage('# TYPE down gauge\ndown{broken 1\nup 1\n<html>\n{"a": 1}', wanted);
    expect([...page.samples.keys(), ...page.types.keys()]).toEqual(["up"]);
    for (const text of ["", "<html>up</html>", '{"up": 1}', "\u0000\u0001"]) {
      expect(readMetricsPage(text, wanted).samples.size).toBe(0);
    }
  });

  test("they are found at the end of a page of the largest size without delay", () => {
    const filler = 'up_total{engine="0"} 1\n'.repeat(90_000);
    const page = readMetricsPage(`${filler}up{engine="9"} 1`, wanted);
    expect(page.samples.get("up")).toMatchObject([{ labels: { engine: "9" } }]);
  });
});

describe("a page is refused", () => {
  test.each([
    ["for a label's value without an end", 'up{engine="0'],
    ["for a label without a value", "up{engine} 1"],
    ["for two labels without a comma", 'up{a="1" b="2"} 1'],
    ["for labels without an end", 'up{a="1" 1'],
    ["for more labels than anybody has", `up{${'a="1",'.repeat(300)}} 1`],
    ["for a line without an end", `up{a="${"x".repeat(100_000)}"} 1`],
    ["for a sample without a value", "up"],
    ["for a value that is no number", "up one"],
    ["for a hexadecimal value", "up 0x10"],
    ["for a time that is no whole number", "up 1 2.5"],
    ["for more than value and time", "up 1 2 3"],
  ])("%s", (_case, page) => {
    expect(codeOf(() => readMetricsPage(page))).toBe("malformed");
    expect(codeOf(() => readMetricsPage(page, new Set(["up"])))).toBe("malformed");
  });

  test("for a line that begins with no name, where all of it is wanted", () => {
    expect(codeOf(() => readMetricsPage("up 1\n<html>"))).toBe("malformed");
    expect(codeOf(() => readMetricsPage("\n  \n\t\nup 1\n"))).toBe("none");
  });

  test("beyond the bound of its size", () => {
    expect(codeOf(() => readMetricsPage("#".repeat(maxMetricsPageBytes + 1)))).toBe("too-large");
  });
});
