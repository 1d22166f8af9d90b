/** What canon-f32-v1 freezes, its own formulas and the lines of docs/protocol.md that it names, is frozen: another text is another opset. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const opset = readFileSync('docs/opset-canon-f32-v1.md', 'utf8');
const protocol = readFileSync('docs/protocol.md', 'utf8');

/** From the heading to the next of its rank or above. */
function section(text: string, heading: string): string {
  const [, rank] = /^(#+) /.exec(heading) as RegExpExecArray;
  const rest = text.slice(text.indexOf(`\n${heading}\n`) + heading.length + 2);
  return rest.split(new RegExp(`^#{1,${rank?.length}} `, 'm'))[0] as string;
}

/** Formulas: the lines that are set apart. */
const indented = (text: string) => text.split('\n').filter((line) => line.startsWith('    '));
const digestOf = (lines: string[]) => createHash('sha256').update(lines.join('\n')).digest('hex');

test('the state tree, S_k and the trace tree stand in docs/protocol.md as section 7 of the opset froze them', () => {
  const frozen = section(opset, '## 7. What is hashed');
  expect(frozen).toContain('`docs/protocol.md`, "State tree and trace". The lines\nindented there are part');
  const lines = indented(section(protocol, '## State tree and trace'));
  expect(lines.map((line) => line.trim().split(/ {2,}| = /)[0])).toEqual([
    ...['chunk(t, j)', 'node', 'tensorRoot', 'groupRoot', 'stateRoot'],
    ...['S_k', 'gradientRoot_k', 'batchDigest_k', 'scalars_k', 'measures_k'],
    ...['trace leaf i', 'trace node', 'traceRoot'],
  ]);
  expect(digestOf(lines)).toBe('b40e9aa7ec646e78ead8667547f053b39e3bf53fb1ef5b94f50e161589436116');
});

// Words around formulas may become clearer; section 2 is nothing but rules.
test.each([
  ['## 2. Sums', '3464bdcd326475f61440af963c51b87aa8a42631962d330fbe1789407f07ac7e'],
  ['## 3. Elementary functions', 'f74c81c5fbf282c5c71068a03390d223a36cb8d8b29e591ecab827a98b226fe6'],
  ['## 4. The model', '11dc8b820ce3287e03481fa30ce89511e049402b04b331bcc29892589c15fa82'],
  ['## 5. A step', '34638221c50a8d4fc9813d61b07a629c2b0ed3bd3fe46c6c5aa8055495573d6a'],
  ['## 6. Randomness and initialisation', '9b628f5c6012d0abf0c7c20f8668ae9fab03a224832e09011cdd3a4a78290e8d'],
  ['## 8. Conformance', '980dcbf20e9a4ca5f677494f137d02ce3101c1c49cb798ed3dd9c0ae67ce6ca0'],
])('the formulas of canon-f32-v1 are those that it was given its name for: %s', (heading, digest) => {
  const text = section(opset, heading);
  const rules = heading === '## 2. Sums' ? text.trim().split('\n') : indented(text);
  expect(rules.length).toBeGreaterThan(5);
  expect(digestOf(rules)).toBe(digest);
});
