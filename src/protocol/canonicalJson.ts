/** One byte string per JSON value, so that a hash of it is an identity.
 *  source: RFC 8785, for the subset we sign and hash: strings, finite numbers, booleans, null, arrays, plain objects. */
import { createHash } from 'node:crypto';
import { PanthaliaError } from '../errors.js';
import type { Hex32 } from './task.js';

/** Canonical JSON text: no spaces, keys in code-unit order, members with value `undefined` left out.
 *  throws check/json.not_canonical for NaN, infinities, integers beyond 2^53 - 1, lone surrogates and other values */
export function canonicalJson(value: unknown): string {
  return write(value, '$');
}

/** sha-256 of the canonical JSON's UTF-8 bytes: the id of a manifest or a spec. */
export function canonicalId(value: unknown): Hex32 {
  return `0x${createHash('sha256').update(canonicalJson(value), 'utf8').digest('hex')}`;
}

function write(value: unknown, at: string): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return writeString(value, at);
  if (typeof value === 'number') return writeNumber(value, at);
  if (Array.isArray(value))
    return `[${value.map((item, index) => write(item, `${at}[${index}]`)).join(',')}]`;
  if (typeof value === 'object' && isPlain(value)) return writeObject(value as Record<string, unknown>, at);
  throw notCanonical(at, typeof value);
}

function writeObject(value: Record<string, unknown>, at: string): string {
  const members: string[] = [];
  // The default sort compares UTF-16 code units, which is what RFC 8785 3.2.3 asks for.
  for (const key of Object.keys(value).sort()) {
    if (value[key] === undefined) continue;
    members.push(`${writeString(key, at)}:${write(value[key], `${at}.${key}`)}`);
  }
  return `{${members.join(',')}}`;
}

function writeString(value: string, at: string): string {
  // With the u flag a pair is one code point, so this finds only lone halves.
  if (/\p{Surrogate}/u.test(value)) throw notCanonical(at, 'a string with a lone surrogate');
  return JSON.stringify(value);
}

function writeNumber(value: number, at: string): string {
  // RFC 8785 prints numbers as ECMAScript does. Integers beyond 2^53 are refused: other readers would see another number.
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    throw notCanonical(at, `the number ${value}`);
  }
  return JSON.stringify(value);
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function notCanonical(at: string, received: string): PanthaliaError {
  return new PanthaliaError(
    'check',
    `Canonical JSON holds strings, finite numbers, booleans, null, arrays and plain objects; at ${at} stood ${received}.`,
    { code: 'json.not_canonical', details: { at, received } },
  );
}
