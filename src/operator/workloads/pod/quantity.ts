// Quantities as the API server stores them. It rewrites every other spelling ("1000m" becomes "1", "1024Mi" becomes
// "1Gi"), and an applied value that differs from the stored one would look like drift for ever.

const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const decimalSuffixes = ["", "k", "M", "G", "T", "P", "E"];

/** Bytes, rounded down to whole KiB, with the largest binary suffix that divides them: `1500Gi`, `24Mi`. */
export function byteQuantity(bytes: number): string {
  return scaled(Math.floor(bytes / 1024), 1024, binarySuffixes.slice(1));
}

/** CPU: whole cores where they are whole, else millicores: `96`, `1500m`. */
export function cpuQuantity(millicores: number): string {
  return millicores % 1000 === 0 ? scaled(millicores / 1000, 1000, decimalSuffixes) : `${millicores}m`;
}

/** A count of devices, which Kubernetes knows only whole: `8`, and `1k` for a thousand. */
export function countQuantity(count: number): string {
  return scaled(count, 1000, decimalSuffixes);
}

function scaled(value: number, base: number, suffixes: readonly string[]): string {
  let rest = value;
  let power = 0;
  while (rest !== 0 && rest % base === 0 && power + 1 < suffixes.length) {
    rest /= base;
    power += 1;
  }
  return rest === 0 ? "0" : `${rest}${suffixes[power] ?? ""}`;
}
