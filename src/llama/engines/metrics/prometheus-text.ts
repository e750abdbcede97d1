// Reads a page in Prometheus' text format, version 0.0.4. The page comes from a pod, so it is bounded and never trusted.
// Format: https://prometheus.io/docs/instrumenting/exposition_formats/
//
// Guarantees
// - Labels with escapes, values as Go's ParseFloat takes them (`+Inf`, `NaN`, `1e-05`), timestamps, HELP and TYPE.
// - With `wanted`, lines of other metrics cost a look at their name: of a busy engine's thousand lines five are read.
// Caveats
// - Neither OpenMetrics (exemplars, `# EOF`) nor quoted names of Prometheus 3: a server sends them only when asked to.

export type MetricType = "counter" | "gauge" | "histogram" | "summary" | "untyped";

/** One line of a page. */
export interface MetricSample {
  /** Of a histogram's or summary's sample with its ending: `_bucket`, `_sum`, `_count`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Milliseconds since 1970; absent on most pages. */
  readonly timestampMs?: number;
}

export interface MetricsPage {
  /** By name, in the order of the page. */
  readonly samples: ReadonlyMap<string, readonly MetricSample[]>;
  /** By the name that `# TYPE` gives. */
  readonly types: ReadonlyMap<string, MetricType>;
  /** By the name that `# HELP` gives, unescaped. */
  readonly help: ReadonlyMap<string, string>;
}

/** A page of metrics that holds no answer. */
export class MetricsPageError extends Error {
  override readonly name = "MetricsPageError";
  /** `missing`: not there, or says nothing; an older engine may never say it. */
  readonly code: "too-large" | "malformed" | "missing";

  constructor(code: MetricsPageError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** Longest page that is read: a busy vLLM's is some 100 KiB for each of the engines behind its address. */
export const maxMetricsPageBytes = 2 * 2 ** 20;

/** Longest line, and most labels: vLLM 0.32 gives its longest one 2 KiB and 40 labels. */
const maxLineLength = 64 * 2 ** 10;
const maxLabels = 256;

/**
 * The samples of a page, with `wanted` those of these names alone.
 * @throws MetricsPageError for a page beyond {@link maxMetricsPageBytes} and for a line that is read and is malformed
 */
export function readMetricsPage(text: string, wanted?: ReadonlySet<string>): MetricsPage {
  if (text.length > maxMetricsPageBytes) {
    throw new MetricsPageError("too-large", `more than ${maxMetricsPageBytes} bytes of metrics`);
  }
  const page = new PageUnderWay(wanted);
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    page.readLine(text, start, end);
    start = end + 1;
  }
  return page;
}

/** What a line begins with: blanks, then `#`, or the name of a metric. */
const lineStart = /[ \t]*(?:(#)|([A-Za-z_:][A-Za-z0-9_:]*))?/y;
const comment = /^[ \t]*#[ \t]*(HELP|TYPE)[ \t]+([A-Za-z_:][A-Za-z0-9_:]*)(?:[ \t]+([\s\S]*))?$/;
/** `name="value"`, a value's backslashes, quotes and newlines escaped; then a comma or the end of the set. */
const label = /[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*"([^"\\]*(?:\\.[^"\\]*)*)"[ \t]*(?:,|(?=\}))/y;
const labelsEnd = /[ \t]*\}/y;
const valueAndTime = /[ \t]*([^ \t]+)(?:[ \t]+(-?\d+))?[ \t]*$/y;
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const infinity = /^([+-]?)inf(?:inity)?$/i;

class PageUnderWay implements MetricsPage {
  readonly samples = new Map<string, MetricSample[]>();
  readonly types = new Map<string, MetricType>();
  readonly help = new Map<string, string>();
  readonly #wanted: ReadonlySet<string> | undefined;

  constructor(wanted: ReadonlySet<string> | undefined) {
    this.#wanted = wanted;
  }

  readLine(text: string, start: number, end: number): void {
    lineStart.lastIndex = start;
    const [, hash, name] = lineStart.exec(text) ?? [];
    const at = lineStart.lastIndex;
    if (hash !== undefined) this.#readComment(text.slice(start, Math.min(end, start + maxLineLength)));
    else if (name !== undefined) {
      if (this.#wanted === undefined || this.#wanted.has(name)) this.#readSample(name, text, at, end);
    } else if (at < end && this.#wanted === undefined) throw malformed(text.slice(at, at + 40));
  }

  #readComment(line: string): void {
    const [, keyword, name, rest = ""] = comment.exec(line) ?? [];
    if (name === undefined || this.#wanted?.has(name) === false) return;
    if (keyword === "HELP") this.help.set(name, unescaped(rest));
    else this.types.set(name, metricTypeOf(rest.trim()));
  }

  #readSample(name: string, text: string, at: number, end: number): void {
    if (end - at > maxLineLength) throw malformed(name);
    const line = text.slice(at, end);
    const { labels, length } = labelsOf(line, name);
    valueAndTime.lastIndex = length;
    const [, written = "", timestamp] = valueAndTime.exec(line) ?? [];
    const value = numberOf(written);
    if (value === undefined) throw malformed(name);
    const known = this.samples.get(name);
    const sample: MetricSample = {
      name,
      labels,
      value,
      ...(timestamp === undefined ? {} : { timestampMs: Number(timestamp) }),
    };
    if (known === undefined) this.samples.set(name, [sample]);
    else known.push(sample);
  }
}

/** The labels at the start of what follows a name, and where they end; none where there is no brace. */
function labelsOf(line: string, name: string): { labels: MetricSample["labels"]; length: number } {
  const blanks = line.length - line.trimStart().length;
  if (line[blanks] !== "{") {
    // `up1` has no blank before its value: it would be the name of another metric.
    if (blanks === 0) throw malformed(name);
    return { labels: {}, length: blanks };
  }
  const labels: Record<string, string> = {};
  let at = blanks + 1;
  for (let count = 0; count <= maxLabels; count += 1) {
    labelsEnd.lastIndex = at;
    if (labelsEnd.test(line)) return { labels, length: labelsEnd.lastIndex };
    label.lastIndex = at;
    const [, key, value] = label.exec(line) ?? [];
    if (key === undefined || value === undefined) break;
    labels[key] = unescaped(value);
    at = label.lastIndex;
  }
  throw malformed(name);
}

function numberOf(text: string): number | undefined {
  if (decimal.test(text)) return Number(text);
  const [, sign] = infinity.exec(text) ?? [];
  if (sign !== undefined) return sign === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^[+-]?nan$/i.test(text) ? Number.NaN : undefined;
}

/** What is no type of ours is untyped, as Prometheus has it for pages of newer formats. */
function metricTypeOf(text: string): MetricType {
  return text === "counter" || text === "gauge" || text === "histogram" || text === "summary"
    ? text
    : "untyped";
}

function unescaped(value: string): string {
  if (!value.includes("\\")) return value;
  return value.replaceAll(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
}

function malformed(what: string): MetricsPageError {
  return new MetricsPageError("malformed", `a line of ${what} that cannot be read`);
}
