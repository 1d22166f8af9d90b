import { expect, test } from 'vitest';
import { canonicalId, canonicalJson } from '../../../src/protocol/canonicalJson.js';

test('keys are in code-unit order, at every depth, without spaces', () => {
  // The key order of RFC 8785, 3.2.3, whose last two differ between UTF-16 and code points.
  const value = { '€': 1, '\r': 2, '\ufb33': 3, '1': 4, '😂': 5, '\u0080': 6, ö: { b: [], a: {} } };
  const text = canonicalJson(value);
  expect(text).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":{"a":{},"b":[]},"€":1,"😂":5,"\ufb33":3}');
});

test('numbers are printed as ECMAScript prints them', () => {
  expect(canonicalJson([0, -0, 2 ** 53 - 1, 0.002, 1e-7, 4.5])).toBe('[0,0,9007199254740991,0.002,1e-7,4.5]');
});

test('strings escape only what they must', () => {
  expect(canonicalJson('\u0000\b\t\n\f\r"\\/\u007f</é')).toBe('"\\u0000\\b\\t\\n\\f\\r\\"\\\\/\u007f</é"');
});

test('undefined members are left out and the order of writing does not matter', () => {
  expect(canonicalId({ b: 1, a: undefined, c: 'x' })).toBe(canonicalId({ c: 'x', b: 1 }));
  // printf '{"b":1,"c":"x"}' | sha256sum
  expect(canonicalId({ b: 1, c: 'x' })).toBe(
    '0x949482df54fabd49900ba0f7ac970a2b9fbb2da67fd8fcfe31b658d45e655f67',
  );
});

test.each([
  ['NaN', Number.NaN],
  ['an integer that others would round', 2 ** 53],
  ['a lone surrogate', '\ud800'],
  ['a bigint', 1n],
  ['an instance', new Date(0)],
  ['undefined in an array', [undefined]],
])('%s has no canonical form', (_, value) => {
  expect(() => canonicalJson({ at: value })).toThrow(expect.objectContaining({ code: 'json.not_canonical' }));
});
