import { expect, test } from 'vitest';
import { describe } from '../../../src/events/describe.js';
import type { Address, Hex32 } from '../../../src/protocol/task.js';

test('an appeal says who makes it; the first panel of a case does not', () => {
  const solver: Address = '0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc';
  const caseId: Hex32 = `0x${'ad'.repeat(32)}`;
  const names = new Map([[solver, 'worker_2']]);
  const opened = (round: number, size: number, fee: bigint) => {
    const fact = { type: 'RoundOpened', caseId, round, size, payer: solver, fee, epoch: 0 } as const;
    return describe({ type: 'chain.fact', fact } as Parameters<typeof describe>[0], names).text;
  };
  const token = 10n ** 18n;
  expect(opened(1, 3, 30n * token)).toBe('case 0xadadadad: panel 1 of 3 for 30');
  expect(opened(2, 5, 50n * token)).toBe('case 0xadadadad: worker_2 appeals, panel 2 of 5 for 50');
});
