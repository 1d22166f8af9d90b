import { expect, test } from 'vitest';
import { heartbeatText } from '../../../src/cli/heartbeat.js';
import { emptyModel, reduce, remainingMs } from '../../../src/dashboard/model.js';
import { countUntil, isFact, recordedEvents } from '../../helpers/recordedRun.js';

test('one line says how far a run is', () => {
  const events = recordedEvents();
  const early = events.slice(0, 1).reduce(reduce, emptyModel());
  expect(heartbeatText(early, early.timeMs)).toBe('04:17:03 heartbeat step 0/8 outer 0/2 loss - disputes 0');
  const count = countUntil(events, ({ type }) => type === 'outer.step');
  const waiting = countUntil(events, (event) => isFact(event, 'TaskAssigned'));
  const solving = events.slice(0, waiting).reduce(reduce, emptyModel());
  expect(heartbeatText(solving, solving.timeMs)).toContain(' loss - solving 1/4 disputes 0');
  const half = events.slice(0, count).reduce(reduce, emptyModel());
  expect(heartbeatText(half, half.timeMs)).toMatch(
    /^04:17:\d\d heartbeat step 4\/8 outer 1\/2 loss \d\.\d{3} disputes 1 eta \d+s$/,
  );
});

test('a run that was killed says so to whoever reads its lines', () => {
  const events = recordedEvents();
  const model = events.slice(0, 1).reduce(reduce, emptyModel());
  expect(heartbeatText(model, model.timeMs + 30_000)).toMatch(/ disputes 0$/);
  expect(heartbeatText(model, model.timeMs + 65_000)).toMatch(
    / disputes 0\. No event for 1m05s: the run is stuck, or gone\.$/,
  );
});

test('what is left shrinks while a round lasts, and is never below nothing', () => {
  const events = recordedEvents();
  const count = countUntil(events, ({ type }) => type === 'outer.step');
  const model = events.slice(0, count).reduce(reduce, emptyModel());
  const roundMs = model.timeMs - (model.startedMs ?? 0);
  expect(remainingMs(model, model.timeMs)).toBe(roundMs);
  expect(remainingMs(model, model.timeMs + 1_000)).toBe(roundMs - 1_000);
  expect(remainingMs(model, model.timeMs + 10 * roundMs)).toBe(0);
  expect(remainingMs(emptyModel(), 1)).toBeNull();
  expect(remainingMs(events.reduce(reduce, emptyModel()), model.timeMs)).toBeNull();
});
