import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { disputeTask } from '../../src/actions/dispute.js';
import { pan, type SubnetParams } from '../../src/chain/params.js';
import { casesOf } from '../../src/protocol/marketQueries.js';
import { expectBooksToAgree } from '../helpers/books.js';
import { skip, startTestChain } from '../helpers/chain.js';
import { toyCompute } from '../helpers/toyCompute.js';
import { passWindows, startToyRun, submittedBy, type ToyRun } from '../helpers/toyRun.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** Long enough for any machine; what has to pass is passed by the clock of the chain. */
const [challengeSeconds, commitSeconds, appealSeconds] = [120, 60, 60];
const deadlines: Partial<SubnetParams> = {
  ...{ challengeSeconds, commitSeconds, appealSeconds },
  ...{ solveSeconds: commitSeconds, clockSeconds: commitSeconds, revealSeconds: 60 },
};
const [cheatAccount, verifierAccount, honestAccount, disputerAccount] = [3, 4, 5, 9];

async function disputerOf(run: ToyRun) {
  const context = await run.contextOf(disputerAccount);
  return { ...context, compute: toyCompute(), scratch: join(run.folder, 'disputer') };
}

test('an appeal with two more verifiers, for 50, overturns a captured panel, and the captured seats pay for it', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 }, { together: true });
  const cheat = await run.worker(cheatAccount, { fault: 'wrong-seed', stakeAmount: pan(100) });
  const finished = run.master();
  const { taskId } = await submittedBy(run, cheat.address, local.signal);
  // The only verifier of the first panel, with four bonds: three are locked there, so it can not fill the second panel.
  const liar = await run.worker(verifierAccount, {
    fault: 'lying-verifier',
    audit: 'never',
    stakeAmount: pan(100),
  });
  const disputer = await disputerOf(run);
  const verdict = disputeTask({ taskId: taskId.slice(0, 12) }, disputer, local.signal);
  const captured = await disputer.market.waitFor(
    (view) => casesOf(view, taskId)[0]?.rounds.find((round) => round.ruling !== null),
    local.signal,
  );
  expect(captured.ruling).toBe('valid');
  expect(captured.seats.map((seat) => seat.voter)).toEqual([liar.address, liar.address, liar.address]);
  const honest = await run.worker(honestAccount, { audit: 'never', stakeAmount: pan(400) });
  await disputer.market.waitFor(
    (view) => casesOf(view, taskId)[0]?.rounds.find(({ size, ruling }) => size === 5 && ruling !== null),
    local.signal,
  );
  await skip(local, appealSeconds + 1);

  expect(await verdict).toEqual({
    taskId,
    firstWrongStep: 0,
    verdict: 'invalid',
    rounds: 2,
    // 30 and 50, and 1 for the delay that a lost case would have been.
    feePaid: pan(81),
    received: pan(111),
  });
  const held = await disputer.contracts.vault.read('balanceOf', [disputer.chain.signer?.address ?? '0x']);
  expect(held).toBe(pan(111));
  await passWindows(run, local, { seconds: challengeSeconds });
  await finished;
  const kase = casesOf(disputer.market.view, taskId)[0];
  expect(kase?.rounds[1]).toMatchObject({ size: 5, fee: pan(50), ruling: 'invalid' });
  const lost = kase?.rounds.flatMap((round) => round.seats).filter((seat) => seat.slashed > 0n) ?? [];
  expect(new Set(lost.map((seat) => seat.voter))).toEqual(new Set([liar.address]));
  expect((await liar.drain()).slashed).toBe(pan(40) * BigInt(lost.length));
  expect((await honest.drain()).slashed).toBe(0n);
  expect((await cheat.drain()).slashed).toBe(pan(100));
  await expectBooksToAgree(local);
});

test('verifiers who do not vote lose their bonds and are replaced', async () => {
  await using local = await startTestChain({
    ...deadlines,
    appealSeconds: 1,
  });
  await using run = await startToyRun(local, { slotsPerRound: 1 }, { together: true });
  const cheat = await run.worker(cheatAccount, { fault: 'noise', stakeAmount: pan(100) });
  const finished = run.master();
  const { taskId } = await submittedBy(run, cheat.address, local.signal);
  const absent = await run.worker(verifierAccount, {
    fault: 'absent-verifier',
    audit: 'never',
    stakeAmount: pan(100),
  });
  const disputer = await disputerOf(run);
  const verdict = disputeTask({ taskId }, disputer, local.signal);
  await disputer.market.waitFor((view) => casesOf(view, taskId)[0]?.rounds[0]?.seats[2], local.signal);
  const honest = await run.worker(honestAccount, { audit: 'never', stakeAmount: pan(400) });
  await skip(local, commitSeconds + 1);

  // Two right steps come first: the learning rate is off from the third of four on.
  expect(await verdict).toMatchObject({
    verdict: 'invalid',
    rounds: 1,
    firstWrongStep: 2,
    received: pan(61),
  });
  await passWindows(run, local, { seconds: challengeSeconds });
  await finished;
  expect((await absent.drain()).slashed).toBe(pan(120));
  expect(await honest.drain()).toMatchObject({ voted: 3, slashed: 0n });
  // The disputer has published the state before the third step: whoever votes makes that step, and none of the others.
  const votes = honest.events.filter((event) => event.type === 'vote.computed');
  expect(votes.map(({ steps }) => steps)).toEqual([1, 1, 1]);
  await expectBooksToAgree(local);
});
