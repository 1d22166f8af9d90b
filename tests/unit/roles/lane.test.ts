import { expect, test } from 'vitest';
import { PanthaliaError } from '../../../src/errors.js';
import { runLane } from '../../../src/roles/lane.js';
import { History } from '../../helpers/facts.js';
import { hastyMarket } from '../../helpers/hastyMarket.js';

test('work that became pointless is taken up again when it is wanted again, as by the next panel of a case', async () => {
  const history = new History();
  history.post([0]);
  const done = new AbortController();
  const attempts: number[] = [];
  const lane = {
    name: 'verification',
    candidates: () => [...history.view.tasks.values()].map((task) => ({ task })),
    work: async () => {
      attempts.push(history.head.number);
      if (attempts.length === 2) {
        done.abort();
        return 'over' as const;
      }
      throw new PanthaliaError('deadline', 'The chain went on without this work.', { code: 'job.pointless' });
    },
  };
  const host = { market: hastyMarket(history), emit: () => {} };
  const giveUp = AbortSignal.any([done.signal, AbortSignal.timeout(2_000)]);
  await runLane(lane, host, { taking: giveUp, hard: new AbortController().signal });
  expect(attempts).toEqual([1, 3]);
});
