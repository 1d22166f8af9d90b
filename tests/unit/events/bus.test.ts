import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createBus } from '../../../src/events/bus.js';
import { decodeEvent, encodeEvent } from '../../../src/events/line.js';
import type { StampedEvent } from '../../../src/events/types.js';

const now = () => new Date('2026-01-02T03:04:05.678Z');

test('the bus stamps what it emits and renumbers what it forwards, keeping the time of the child', () => {
  const bus = createBus({ run: 'demo', now });
  const seen: StampedEvent[] = [];
  const stop = bus.subscribe((event) => seen.push(event));
  bus.emitterFor('simulate')({ type: 'heartbeat' });
  const fromChild: StampedEvent = {
    v: 2,
    seq: 77,
    t: '2026-01-02T03:04:04.000Z',
    run: '-',
    src: 'me',
    type: 'heartbeat',
  };
  bus.forward('worker_1', fromChild);
  stop();
  bus.emitterFor('simulate')({ type: 'heartbeat' });
  expect(seen).toEqual([
    { v: 2, seq: 0, t: '2026-01-02T03:04:05.678Z', run: 'demo', src: 'simulate', type: 'heartbeat' },
    { v: 2, seq: 1, t: '2026-01-02T03:04:04.000Z', run: 'demo', src: 'worker_1', type: 'heartbeat' },
  ]);
});

test('an event with amounts survives the way through a line', () => {
  const event: StampedEvent = {
    v: 2,
    seq: 3,
    t: now().toISOString(),
    run: 'demo',
    src: 'chain',
    type: 'chain.fact',
    fact: {
      type: 'Burned',
      amount: 10n ** 21n,
      blockNumber: 5,
      logIndex: 0,
      transactionHash: `0x${'ab'.repeat(32)}`,
      timestamp: 1,
    },
  };
  const line = encodeEvent(event);
  expect(line).toContain('"amount":"1000000000000000000000"');
  expect(line).not.toContain('\n');
  expect(decodeEvent(line)).toEqual(event);
});

test.each([
  '',
  'prose',
  '{"v":2,"type":"heartb',
  '{"v":3,"type":"heartbeat","src":"x"}',
  '{"success":false}',
  '[1]',
])('a line that is not an event is null: %s', (line) => expect(decodeEvent(line)).toBeNull());

test('every amount that an event can carry comes back from its line as the integer it was', () => {
  const sources = ['protocol/facts.ts', 'protocol/economics.ts', 'events/types.ts'].map((path) =>
    readFileSync(join(import.meta.dirname, '../../../src', path), 'utf8'),
  );
  // What crosses is declared in facts and events, and in the terms that travel with them.
  const [facts = '', economics = '', events = ''] = sources;
  const terms = ['DisputeTerms', 'MarketTerms'].map((name) => {
    const found = new RegExp(`interface ${name} [^}]*\\n}`, 's').exec(economics);
    return found?.[0] ?? `there is no ${name}`;
  });
  expect(terms.join()).toContain('seatBond: bigint');
  const names = [...`${facts}${terms}${events}`.matchAll(/(\w+): bigint/g)].map(([, name = '']) => name);
  expect(new Set(names).size).toBeGreaterThan(9);
  for (const name of names) {
    const event = { v: 2, seq: 0, t: '', run: '', src: 'x', type: 'heartbeat', [name]: 10n ** 20n };
    expect(decodeEvent(encodeEvent(event as unknown as StampedEvent))).toEqual(event);
  }
});
