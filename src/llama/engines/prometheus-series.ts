// The labels of one metric on a page in Prometheus' text format: all that is needed of a format whose other parts
// (values, types, histograms) is not read here. The page comes from a pod, so it is bounded and never trusted.
// Format: https://prometheus.io/docs/instrumenting/exposition_formats/

/** Labels of one series. */
export type SeriesLabels = Readonly<Record<string, string>>;

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

/** Longest page that is read: a busy vLLM's is some 100 KiB. */
export const maxMetricsPageBytes = 4 * 2 ** 20;

/** Longest line, and most labels: vLLM 0.32 gives its longest one 2 KiB and 40 labels. */
const maxLineLength = 64 * 2 ** 10;
const maxLabels = 256;

/**
 * The labels of each series of `metric`, in the order of the page; a series without labels has none.
 * @throws MetricsPageError for a page beyond {@link maxMetricsPageBytes} and for lines that cannot be read
 */
export function seriesOf(page: string, metric: string): readonly SeriesLabels[] {
  if (page.length > maxMetricsPageBytes) {
    throw new MetricsPageError("too-large", `more than ${maxMetricsPageBytes} bytes of metrics`);
  }
  const series: SeriesLabels[] = [];
  for (let start = 0; start < page.length;) {
    const newline = page.indexOf("\n", start);
    const end = newline < 0 ? page.length : newline;
    if (page.startsWith(metric, start)) {
      const labels = labelsOf(
        page.slice(start + metric.length, Math.min(end, start + maxLineLength)),
        metric,
      );
      if (labels !== undefined) series.push(labels);
    }
    start = end + 1;
  }
  return series;
}

/** `name="value"`, a value's backslashes, quotes and newlines escaped; then a comma or the end of the set. */
const label = /\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"([^"\\]*(?:\\.[^"\\]*)*)"\s*(?:,|(?=\}))/y;

/** The labels that follow a metric's name on its line; `undefined` where the name goes on: another metric. */
function labelsOf(rest: string, metric: string): SeriesLabels | undefined {
  if (/^\s/.test(rest)) return {};
  if (!rest.startsWith("{")) return undefined;
  const labels: Record<string, string> = {};
  label.lastIndex = 1;
  for (let count = 0; count <= maxLabels; count += 1) {
    const at = label.lastIndex;
    const [, name, value] = label.exec(rest) ?? [];
    if (name === undefined || value === undefined) {
      if (/^\s*\}/.test(rest.slice(at))) return labels;
      break;
    }
    labels[name] = unescaped(value);
  }
  throw new MetricsPageError("malformed", `a line of ${metric} whose labels cannot be read`);
}

function unescaped(value: string): string {
  return value.replaceAll(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
}
