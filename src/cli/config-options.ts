// Options of a command made from a zod schema: names, defaults, choices and bounds stand in the schema and nowhere else.
import { Option } from "commander";
import { z } from "zod";
import type { FlagMeta } from "@llama-operator/operator";
import { exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";

type Shape = Readonly<Record<string, z.ZodType>>;

/** The options of a schema's members, in their order. @throws TypeError for a member that no flag can give */
export function optionsOf({ shape }: z.ZodObject<Shape>): readonly Option[] {
  return Object.values(shape).map(optionOf);
}

/**
 * The configuration that the parsed options give.
 * @throws CommandError (usage) with flag, value and what it must be, where members contradict each other
 */
export function configOf<S extends z.ZodObject<Shape>>(
  schema: S,
  values: Readonly<Record<string, unknown>>,
): z.infer<S> {
  const given = Object.entries(schema.shape).flatMap(([member, type]) => {
    const value = values[optionOf(type).attributeName()];
    return value === undefined ? [] : [[member, value] as const];
  });
  const result = schema.safeParse(Object.fromEntries(given));
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path: [member = ""], message }) => {
    const type = schema.shape[String(member)];
    const option = type && optionOf(type);
    return `${option?.long ?? String(member)} ${String(option && values[option.attributeName()])}: ${message}`;
  });
  throw new CommandError(problems.join("; "), { code: exitCodes.usage });
}

function optionOf(schema: z.ZodType): Option {
  const { flag, description } = schema.meta() as unknown as FlagMeta;
  const { type, byDefault } = unwrap(schema);
  const option = new Option(flag, description);
  if (type instanceof z.ZodBoolean) return option;
  if (byDefault !== null) option.default(byDefault);
  if (type instanceof z.ZodEnum) return option.choices(type.options.map(String));
  if (type instanceof z.ZodNumber) return option.argParser(wholeNumber(option.long ?? flag, type));
  if (type instanceof z.ZodString) return option.argParser(nonEmpty(option.long ?? flag));
  throw new TypeError(`${flag}: no option can give a value of this type`);
}

/** The schema of a given value, and the value of a flag that is not given. */
function unwrap(schema: z.ZodType): { readonly type: z.ZodType; readonly byDefault: unknown } {
  if (schema instanceof z.ZodDefault) {
    return { type: unwrap(schema.unwrap() as z.ZodType).type, byDefault: schema.def.defaultValue };
  }
  if (schema instanceof z.ZodNullable) return unwrap(schema.unwrap() as z.ZodType);
  return { type: schema, byDefault: null };
}

function wholeNumber(flag: string, schema: z.ZodNumber): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (schema.safeParse(value).success) return value;
    const bounds = `a whole number from ${schema.minValue} to ${schema.maxValue}`;
    throw new CommandError(`${flag} ${text}: must be ${bounds}`, { code: exitCodes.usage });
  };
}

function nonEmpty(flag: string): (text: string) => string {
  return (text) => {
    if (text !== "") return text;
    throw new CommandError(`${flag}: must not be empty`, { code: exitCodes.usage });
  };
}
