// When GKE may maintain a cluster. It refuses a window in which it could not do its work, when network and NAT are there.
// Source: docs.cloud.google.com/kubernetes-engine/docs/concepts/maintenance-windows-and-exclusions (Caveats): at least four
// hours at a time, and 48 hours in every 32 days.
import type { ConfigurationProblem } from "../../../config/problem.ts";
import type { GkeCluster } from "./cluster.ts";

const leastHours = 4;
const leastHoursInAll = 48;
const periodDays = 32;

const hourMs = 3600 * 1000;
const weekdays: readonly string[] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

export function maintenanceProblems({ maintenance }: GkeCluster): readonly ConfigurationProblem[] {
  if (maintenance === undefined) return [];
  const { start, end, recurrence } = maintenance;
  const hours = (Date.parse(end) - Date.parse(start)) / hourMs;
  if (hours < leastHours) {
    return [
      {
        path: "cluster.maintenance.end",
        message: `a window lasts at least ${leastHours} hours, and this one ${describeHours(hours)}: write a later end`,
      },
    ];
  }
  const rule = readRecurrence(recurrence);
  if (rule === undefined) {
    return [
      {
        path: "cluster.maintenance.recurrence",
        message: `${recurrence} is no rule of RFC 5545: write one such as FREQ=WEEKLY;BYDAY=SA,SU`,
      },
    ];
  }
  const least = leastDays(rule, new Date(start));
  if (least === undefined || least * hours >= leastHoursInAll) return [];
  return [
    {
      path: "cluster.maintenance.recurrence",
      message: `GKE wants ${leastHoursInAll} hours in every ${periodDays} days, and this gives ${describeHours(least * hours)}: write more days, or a longer window`,
    },
  ];
}

const describeHours = (hours: number): string => `${Math.round(hours * 10) / 10}`;

interface Recurrence {
  readonly frequency: string;
  readonly interval: number;
  readonly days: readonly string[];
  readonly daysOfMonth: number;
  /** Whether the rule says more than frequency, interval and days. */
  readonly more: boolean;
}

function readRecurrence(text: string): Recurrence | undefined {
  const parts = text.replace(/^RRULE:/, "").split(";");
  const rule = new Map(
    parts.map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)]),
  );
  const frequency = rule.get("FREQ") ?? "";
  const interval = Number(rule.get("INTERVAL") ?? 1);
  const days = rule.get("BYDAY")?.split(",") ?? [];
  const known = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"].includes(frequency);
  if (parts.some((part) => !/^[A-Z]+=[^=]+$/.test(part)) || !known || !(interval >= 1)) return undefined;
  if (frequency === "WEEKLY" && days.some((day) => !weekdays.includes(day))) return undefined;
  const daysOfMonth = rule.get("BYMONTHDAY")?.split(",").length ?? 0;
  const read = ["FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "WKST"];
  const more = [...rule.keys()].some((key) => !read.includes(key));
  return { frequency, interval, days, daysOfMonth, more };
}

/** Least number of windows that begin in any period of 32 days; undefined of a rule that is not followed here. */
function leastDays(rule: Recurrence, start: Date): number | undefined {
  if (rule.more) return undefined;
  switch (rule.frequency) {
    case "YEARLY":
      return 0;
    case "MONTHLY":
      return rule.interval > 1 ? 0 : daysOfMonthly(rule);
    default:
      return rule.daysOfMonth > 0 ? undefined : leastOfWeeks(rule, start);
  }
}

/** `1SA` is one day of a month, `SA` are four at least. */
function daysOfMonthly({ days, daysOfMonth }: Recurrence): number {
  if (days.length === 0) return Math.max(1, daysOfMonth);
  return days.reduce((sum, day) => sum + (weekdays.includes(day) ? 4 : 1), 0);
}

function leastOfWeeks(rule: Recurrence, start: Date): number {
  const first = start.getUTCDay();
  // Weeks of RFC 5545 begin on Mondays.
  const offset = (first + 6) % 7;
  const isOn = (day: number): boolean => {
    const name = weekdays[(first + day) % 7] ?? "";
    if (rule.frequency === "DAILY") {
      return day % rule.interval === 0 && (rule.days.length === 0 || rule.days.includes(name));
    }
    const week = Math.floor((day + offset) / 7);
    const days = rule.days.length === 0 ? [weekdays[first]] : rule.days;
    return week % rule.interval === 0 && days.includes(name);
  };
  // A rule comes round within its interval of weeks; each day of that time begins a period.
  const begins = Array.from({ length: 7 * rule.interval }, (_, day) => day);
  return Math.min(
    ...begins.map((from) => Array.from({ length: periodDays }, (_, day) => from + day).filter(isOn).length),
  );
}
