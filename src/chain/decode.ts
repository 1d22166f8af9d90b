/** ethers' values -> plain data with the types that abitype derives from the ABI. */
import type { ParamType, Result } from 'ethers';

/** Integers up to 48 bits are numbers, wider ones bigint; tuples become objects; hex other than addresses is lower case. */
export function plain(value: unknown, type: ParamType): unknown {
  if (type.isArray()) return [...(value as Result)].map((item) => plain(item, type.arrayChildren));
  if (type.isTuple()) return plainFields(value as Result, type.components);
  const integer = /^u?int(\d+)$/.exec(type.baseType);
  if (integer !== null) return Number(integer[1]) <= 48 ? Number(value) : BigInt(value as bigint);
  return type.baseType.startsWith('bytes') ? (value as string).toLowerCase() : value;
}

/** Named fields of a tuple, an event or an error, as an object. */
export function plainFields(values: Result, fields: readonly ParamType[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field, i) => [field.name, plain(values[i], field)]));
}

/** What a function returned: nothing, one value, or a list. */
export function plainOutputs(values: Result, outputs: readonly ParamType[]): unknown {
  const list = outputs.map((output, i) => plain(values[i], output));
  return list.length > 1 ? list : list[0];
}
