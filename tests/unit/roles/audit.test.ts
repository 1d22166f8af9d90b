import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBlobClient } from '../../../src/data/blobClient.js';
import { PanthaliaError } from '../../../src/errors.js';
import type { PanthaliaEvent } from '../../../src/events/types.js';
import { canonicalId, canonicalJson } from '../../../src/protocol/canonicalJson.js';
import { answersOf, type Made } from '../../../src/protocol/check.js';
import type { CaseView, TaskView } from '../../../src/protocol/marketView.js';
import { sha256Hex } from '../../../src/protocol/requestAuth.js';
import { taskSpec } from '../../../src/protocol/spec.js';
import type { Hex32, Submission } from '../../../src/protocol/task.js';
import { traceRoot } from '../../../src/protocol/trace.js';
import { auditTask } from '../../../src/roles/auditor.js';
import { type Behaviour, honest } from '../../../src/roles/behaviour.js';
import { checkTask } from '../../../src/roles/checker.js';
import { checkFault, faults } from '../../../src/roles/faults.js';
import { createInputs, fetchLeaves } from '../../../src/roles/inputs.js';
import type { Job } from '../../../src/roles/job.js';
import { ownLeaves } from '../../../src/roles/leaves.js';
import { publishState } from '../../../src/roles/publish.js';
import { leavesBlob, replayTask } from '../../../src/roles/replay.js';
import { judgeAgain } from '../../../src/roles/verifier.js';
import { alice, History } from '../../helpers/facts.js';
import { startMoodySot } from '../../helpers/moodySot.js';
import { type SotFixture, signerOf, startSot } from '../../helpers/sotServer.js';
import { toyCompute, toyManifest } from '../../helpers/toyCompute.js';

let sot: SotFixture;
let folder: string;
let base: { stateRoot: Hex32; parameters: Hex32 };
let task: TaskView;
const manifest = toyManifest({ innerSteps: 6 });
const { signal } = new AbortController();

beforeAll(async () => {
  sot = await startSot();
  folder = await mkdtemp(join(tmpdir(), 'panthalia-audit-'));
  const client = createBlobClient({ url: sot.url, sign: signerOf(0) });
  const trainer = await toyCompute().createTrainer({} as never);
  await trainer.initialise(manifest.seed);
  const path = join(folder, 'base');
  await trainer.saveParameters(path);
  base = { stateRoot: await trainer.stateRoot(), parameters: (await client.putFile(path)).blob };
  const spec = taskSpec(manifest, canonicalId(manifest), 0, base);
  const { blob: specHash } = await client.putBytes(Buffer.from(canonicalJson(spec)));
  const history = new History();
  const { jobId } = spec;
  const [taskId] = history.post([1], {
    ...{ jobId, specHash, baseRoot: base.stateRoot, innerSteps: manifest.innerSteps },
  }) as [Hex32];
  task = history.assign(taskId, alice).view.tasks.get(taskId) as TaskView;
});
afterAll(async () => {
  await sot?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A job of the worker with this signing account.  submission: what is on chain when it starts */
function job(account: number, submission: Submission | null = null): Job & { events: PanthaliaEvent[] } {
  const events: PanthaliaEvent[] = [];
  const client = createBlobClient({ url: sot.url, sign: signerOf(account), patienceMs: 500 });
  const context = {
    sot: client,
    emit: (event: PanthaliaEvent) => void events.push(event),
    compute: toyCompute(),
    scratch: folder,
    memory: join(folder, `memory-${crypto.randomUUID()}`),
  };
  const inputs = createInputs({
    sot: client,
    folder: join(folder, `inputs-${account}`),
    opset: context.compute.opset,
  });
  const turn: Job['turn'] = (call) => call();
  return { context, task: { ...task, submission }, inputs, turn, signal, events };
}

/** A dispute of one transition of what was submitted, pinned with the solver's own leaves. */
async function kase(submission: Submission, step: number, stateBlob: Hex32 | null = null): Promise<CaseView> {
  const { taskId } = task;
  const leaves = await fetchLeaves(job(1).context.sot, submission, manifest.innerSteps, signal);
  if (leaves === null) throw new Error('no leaves');
  const pin = { step, before: leaves[step] as Hex32, next: leaves[step + 1] as Hex32, stateBlob };
  return { caseId: sha256Hex('case'), taskId, disputer: alice, openedAt: 0, ...pin, ...undecided };
}

const undecided = { rounds: [], settled: false, verdict: null, burned: 0n, moot: false };

async function solvedBy(behaviour: Behaviour): Promise<Submission> {
  const submission = await behaviour.solve(job(0));
  if (submission === null) throw new Error('nothing was submitted');
  return submission;
}

test('an honest solution passes the audit, and two solvers commit to the same bytes', async () => {
  const submission = await solvedBy(honest);
  expect(await honest.solve(job(1))).toEqual(submission);
  const audit = job(1, submission);
  expect((await auditTask(audit)).firstWrongStep).toBeNull();
  expect(audit.events.map((event) => event.type)).toContain('audit.finished');
});

test.each([
  // The first transition is already a lie, and the auditor stops there.
  ['zero-delta', 0],
  ['wrong-seed', 0],
  // Off from the fourth of six steps on: the transition 3 -> 4.
  ['noise', 3],
  // An honest trace whose last state is not the result.
  ['wrong-result', 5],
])('the audit of %s names step %i', async (fault, step) => {
  const submission = await solvedBy(checkFault(fault)(honest));
  const audit = job(1, submission);
  expect((await auditTask(audit)).firstWrongStep).toBe(step);
  const { verdict, steps } = (await honest.judge(job(1, submission), await kase(submission, step))) ?? {};
  expect({ verdict, steps }).toEqual({ verdict: 'invalid', steps: step + 1 });
});

test('a result that was withheld is right, and can be fetched after the audit', async () => {
  const other = toyManifest({ innerSteps: 6, seed: `0x${'77'.repeat(32)}` });
  const client = createBlobClient({ url: sot.url, sign: signerOf(0) });
  const spec = taskSpec(other, canonicalId(other), 0, base);
  const { blob: specHash } = await client.putBytes(Buffer.from(canonicalJson(spec)));
  const withheld = { ...task, specHash, jobId: spec.jobId };
  const solving = { ...job(0), task: withheld };
  const submission = await checkFault('withhold')(honest).solve(solving);
  if (submission === null) throw new Error('nothing was submitted');
  const fetch = () => client.getBytes(submission.resultRoot, { maxBytes: 1_000_000 });
  await expect(fetch()).rejects.toMatchObject({ code: 'sot.blob_not_found' });
  const audit = { ...job(1), task: { ...withheld, submission } };
  expect((await auditTask(audit)).firstWrongStep).toBeNull();
  expect((await fetch()).length).toBeGreaterThan(0);
});

test('without the leaves an audit still decides, and an auditor without stake leaves the healing to others', async () => {
  const submission = await solvedBy(honest);
  const lost = { ...submission, leavesBlob: `0x${'1f'.repeat(32)}` as const };
  expect((await auditTask(job(1, lost))).firstWrongStep).toBeNull();
  const wrong = { ...lost, traceRoot: `0x${'2f'.repeat(32)}` as const };
  expect((await auditTask(job(1, wrong))).firstWrongStep).toBe(5);
  const stranger = job(2, submission);
  expect((await auditTask(stranger)).firstWrongStep).toBeNull();
  expect(stranger.events.some((event) => event.type === 'alert' && event.code === 'auth.not_allowed')).toBe(
    true,
  );
});

test('a check of the last step has the result, although an audit that went as far had stopped before it', async () => {
  const submission = await solvedBy(honest);
  const { sot } = job(0).context;
  const leaves = (await fetchLeaves(sot, submission, manifest.innerSteps, signal)) as Hex32[];
  const last: Hex32 = `0x${'5f'.repeat(32)}`;
  const lie = [...leaves.slice(0, -1), last];
  const { blob } = await sot.putBytes(leavesBlob(lie));
  const worker = job(1, { ...submission, traceRoot: traceRoot(lie), leavesBlob: blob });
  const steps = [1, manifest.innerSteps - 1];
  expect((await auditTask(worker)).firstWrongStep).toBe(5);
  const { made, firstWrongStep } = await checkTask(worker, steps);
  expect(firstWrongStep).toBe(5);
  const { resultRoot } = submission;
  expect(made).toMatchObject({ leaves, resultRoot });
  expect(answersOf(last, steps, made as Made, manifest.innerSteps)).toMatch(/^0x/);

  // Another audit, after a restart, is as far and has no result again: what the check made stays.
  await auditTask(worker);
  expect(await checkTask(worker, steps)).toMatchObject({ made: { resultRoot }, steps: 0 });
});

test.each(['noise', 'wrong-result'])(
  'with the state before the step a verifier of %s makes that step and no other',
  async (fault) => {
    const submission = await solvedBy(checkFault(fault)(honest));
    const auditing = job(1, submission);
    const { firstWrongStep } = await auditTask(auditing);
    const step = firstWrongStep ?? -1;
    const stateBlob = await publishState(auditing, step);
    const wrong = await honest.judge(job(1, submission), await kase(submission, step, stateBlob));
    expect(wrong).toMatchObject({ verdict: 'invalid', steps: 1 });

    // The step before it is right, and a panel about that one says so.
    const before = await publishState(auditing, step - 1);
    const right = await honest.judge(job(1, submission), await kase(submission, step - 1, before));
    expect(right).toMatchObject({ verdict: 'valid', steps: 1 });
  },
);

test('a published state that is not the one in the trace, or is gone, is made up for by the steps before it', async () => {
  const submission = await solvedBy(honest);
  const auditing = job(1, submission);
  const other = await publishState(auditing, 2);
  const nowhere: Hex32 = `0x${'4f'.repeat(32)}`;
  for (const blob of [other, nowhere, null]) {
    const vote = await honest.judge(job(1, submission), await kase(submission, 4, blob));
    expect(vote).toMatchObject({ verdict: 'valid', steps: 5 });
  }
});

test('honest verifiers see the same, a lying one says the opposite and saw something else, an absent one says nothing', async () => {
  const submission = await solvedBy(honest);
  const about = await kase(submission, 3, await publishState(job(1, submission), 3));
  const vote = await honest.judge(job(1, submission), about);
  expect(vote?.verdict).toBe('valid');
  const other = await honest.judge(job(0, submission), { ...about, stateBlob: null });
  expect(other?.seen).toEqual(vote?.seen);
  const lie = await checkFault('lying-verifier')(honest).judge(job(1, submission), about);
  expect(lie?.verdict).toBe('invalid');
  expect(lie?.seen).not.toEqual(vote?.seen);
  expect(await checkFault('absent-verifier')(honest).judge(job(1, submission), about)).toBeNull();
});

test('a solver can show its leaves while it remembers them, whatever the Source of Truth does, and after a restart by computing', async () => {
  const solving = job(0);
  const submission = (await honest.solve(solving)) as Submission;
  const leaves = await ownLeaves(job(1, submission));
  expect(leaves).toHaveLength(manifest.innerSteps + 1);
  const lost = { ...submission, leavesBlob: `0x${'5f'.repeat(32)}` as Hex32 };
  // Everything is lost there: spec and base too.
  const refusing = { ...solving.task, submission: lost, specHash: `0x${'6f'.repeat(32)}` as Hex32 };
  expect(await ownLeaves({ ...solving, task: refusing })).toEqual(leaves);
  await expect(ownLeaves({ ...job(0), task: refusing })).rejects.toMatchObject({ family: 'notFound' });
  const restarted = job(0, lost);
  expect(await ownLeaves(restarted)).toEqual(leaves);
  expect(restarted.events).toContainEqual(expect.objectContaining({ code: 'leaves.lost' }));
});

test('whoever hides a wrong trace has nothing to show', async () => {
  const hiding = job(0);
  const submission = (await checkFault('hidden-trace')(honest).solve(hiding)) as Submission;
  // Another test has published the same lie.
  const hidden = { ...submission, leavesBlob: `0x${'7f'.repeat(32)}` as Hex32 };
  expect(await ownLeaves({ ...hiding, task: { ...task, submission: hidden } })).toBeNull();
});

const roll = sha256Hex('roll');
const answers = (made: Made | null | undefined, steps: number[]) =>
  answersOf(roll, steps, made as Made, manifest.innerSteps);

test('whoever is drawn to check makes the steps up to the last one that is asked about, once, and its answers are the solver’s', async () => {
  const solving = job(0);
  const submission = (await honest.solve(solving)) as Submission;
  const checking = job(1, submission);
  const found = await honest.check(checking, [3, 1]);
  expect(found).toMatchObject({ firstWrongStep: null, steps: 4 });
  // The solver kept what its steps showed: it answers with the spec gone.
  const gone = { ...solving, task: { ...task, submission, specHash: sha256Hex('gone') } };
  expect(answers(await honest.answer(gone), [3, 1])).toBe(answers(found?.made, [3, 1]));
  // A checker that was killed after its commitment has them too; another process without that folder makes them again.
  expect(await honest.check(checking, [3, 1])).toEqual({ ...found, steps: 0, computeSeconds: 0 });
  const lost = await honest.check(job(1, submission), [3, 1]);
  expect(lost).toMatchObject({ made: found?.made, steps: 4 });
  expect(await honest.answer(job(0, submission))).toEqual(await honest.answer(gone));
});

test.each([
  ['zero-delta', [1, 0], 0],
  ['noise', [4, 1], 3],
  // The check ends before the first wrong step: chance has passed it by.
  ['noise', [2, 1], null],
  ['wrong-result', [5, 0], 5],
  ['wrong-result', [4, 0], null],
])('a check of %s at steps %j finds %s', async (fault, steps, wrong) => {
  const submission = await solvedBy(checkFault(fault)(honest));
  expect((await honest.check(job(1, submission), steps))?.firstWrongStep).toBe(wrong);
});

test('without leaves to compare only the answers can tell, or the end of a check of the whole task', async () => {
  const submission = await solvedBy(checkFault('wrong-seed')(honest));
  const hidden = { ...submission, leavesBlob: sha256Hex('nowhere') };
  expect(await honest.check(job(1, hidden), [1, 0])).toMatchObject({ firstWrongStep: null, leaves: null });
  expect(await honest.check(job(1, hidden), [5, 0])).toMatchObject({ firstWrongStep: 5, leaves: null });
});

test('a solver that computed something else answers something else, and one that computed nothing does not answer', async () => {
  const right = await honest.answer(job(0));
  for (const [fault, steps] of [
    ['noise', [4]],
    ['wrong-result', [5]],
  ] as const) {
    const cheating = job(0);
    const cheat = checkFault(fault)(honest);
    await cheat.solve(cheating);
    expect(answers(await cheat.answer(cheating), [...steps])).not.toBe(answers(right, [...steps]));
    // A step before the first wrong one is as everybody made it.
    expect(answers(await cheat.answer(cheating), [1])).toBe(answers(right, [1]));
  }
  expect(await checkFault('zero-delta')(honest).answer(job(0))).toBeNull();
  expect(await checkFault('mute')(honest).answer(job(0))).toBeNull();
  expect(await checkFault('absent-checker')(honest).check(job(1), [4])).toBeNull();
  const lazy = await checkFault('lazy-checker')(honest).check(job(1), [4]);
  expect(lazy).toMatchObject({ firstWrongStep: null, steps: 0 });
  expect(answers(lazy?.made, [4])).not.toBe(answers(right, [4]));
});

test('a check of a task whose inputs are gone can not be made', async () => {
  const submission = await solvedBy(honest);
  const missing = { ...task, submission, specHash: sha256Hex('nowhere') };
  const found = await honest.check({ ...job(1), task: missing }, [3, 1]);
  expect(found).toMatchObject({ made: null, firstWrongStep: null, steps: 0 });
});

test('a verifier that can not get the inputs votes unavailable', async () => {
  const submission = await solvedBy(honest);
  const missing = { ...task, submission, specHash: `0x${'3f'.repeat(32)}` as Hex32 };
  const vote = await honest.judge({ ...job(1), task: missing }, await kase(submission, 0));
  expect(vote).toMatchObject({ verdict: 'unavailable', seen: null, steps: 0 });
});

test('whoever looks once more before an appeal sees what the next panel will: nothing, where the buyer has taken away what it had shown', async () => {
  const submission = await solvedBy(honest);
  const own = job(0, submission);
  const about = await kase(submission, 2);
  expect(await judgeAgain(own, about, 60)).toBe('valid');
  const emptied = await startSot();
  try {
    const context = { ...own.context, sot: createBlobClient({ url: emptied.url, sign: signerOf(0) }) };
    expect(await honest.judge({ ...own, context }, about)).toMatchObject({ verdict: 'valid' });
    expect(await judgeAgain({ ...own, context }, about, 60)).toBe('unavailable');
  } finally {
    await emptied.stop();
  }
  expect((await readdir(folder)).filter((name) => name.startsWith('again-'))).toEqual([]);
});

/** As if the Source of Truth did so with this blob. */
async function lookingAt(own: Job, blob: Hex32, mood: number | 'never') {
  const server = await startMoodySot(sot.url, (_, path) => (path.includes(blob) ? mood : undefined));
  const client = createBlobClient({ url: server.url, sign: signerOf(0), patienceMs: 500 });
  return {
    looking: { ...own, context: { ...own.context, sot: client } },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

test.each<[string, number | 'never']>([
  ['is refused', 403],
  ['fails', 500],
  ['never ends', 'never'],
])('whoever looks once more begins at the base where the published state %s', async (_, mood) => {
  const submission = await solvedBy(honest);
  const own = job(0, submission);
  const blob = await publishState(own, 2);
  if (blob === null) throw new Error('nothing was published');
  await using served = await lookingAt(own, blob, mood);
  expect(await judgeAgain(served.looking, await kase(submission, 2, blob), 4)).toBe('valid');
});

test('a look ends in time, and not with a verdict, where the base never ends', async () => {
  const submission = await solvedBy(honest);
  const own = job(0, submission);
  await using served = await lookingAt(own, base.parameters, 'never');
  await expect(judgeAgain(served.looking, await kase(submission, 0), 0.5)).rejects.toThrow(
    'not within 0.5 s',
  );
});

test('memory that is short here is a vote, since somebody has to, and no evidence to whoever looks once more', async () => {
  const submission = await solvedBy(honest);
  const own = job(0, submission);
  const createTrainer = () =>
    Promise.reject(new PanthaliaError('error', 'No memory is left.', { code: 'engine.out_of_memory' }));
  const small = { ...own, context: { ...own.context, compute: { ...toyCompute(), createTrainer } } };
  const about = await kase(submission, 2);
  expect(await honest.judge(small, about)).toMatchObject({ verdict: 'unavailable' });
  await expect(judgeAgain(small, about, 60)).rejects.toMatchObject({ code: 'engine.out_of_memory' });
});

test('a spec that says other things than the chain is refused', async () => {
  const { taskId } = task;
  const wrong: Partial<TaskView>[] = [{ round: 5 }, { slot: 2 }, { baseRoot: taskId }, { jobId: taskId }];
  for (const change of wrong) {
    const refused = honest.solve({ ...job(0), task: { ...task, ...change } });
    await expect(refused).rejects.toMatchObject({ family: 'check', code: 'spec.contradicts_chain' });
  }
});

/** The task as it would stand if the buyer had stored this spec. */
async function taskWith(change: Record<string, unknown>): Promise<TaskView> {
  const client = createBlobClient({ url: sot.url, sign: signerOf(0) });
  const spec = { ...taskSpec(manifest, canonicalId(manifest), 0, base), ...change };
  const { blob: specHash } = await client.putBytes(Buffer.from(canonicalJson(spec)));
  return { ...task, specHash };
}

test('a task of another opset is neither solved nor judged: stake is risked on bits that every machine gives', async () => {
  const torch = await taskWith({ opset: 'torch', threads: 1 });
  await expect(honest.solve({ ...job(0), task: torch })).rejects.toMatchObject({
    family: 'check',
    code: 'spec.other_opset',
    details: { expected: 'canon-f32-v1', received: 'torch' },
    next: expect.stringContaining('--opset torch'),
  });
  const submission = await solvedBy(honest);
  const vote = await honest.judge({ ...job(1), task: { ...torch, submission } }, await kase(submission, 0));
  expect(vote).toMatchObject({ verdict: 'unavailable' });
});

test('threads stand in a spec of opset torch, whose bits depend on them, and in no other', async () => {
  for (const change of [
    { threads: 1 },
    { opset: 'torch' },
    { opset: 'torch', threads: 0 },
    { opset: 'tf' },
  ]) {
    const solving = honest.solve({ ...job(0), task: await taskWith(change) });
    await expect(solving).rejects.toMatchObject({ family: 'check', code: 'spec.malformed' });
  }
});

test('a base that is not the state the task names is refused before a step is run', async () => {
  const spec = taskSpec(manifest, canonicalId(manifest), 0, { ...base, stateRoot: `0x${'4f'.repeat(32)}` });
  const options = { taskId: task.taskId, slot: 1, spec, base: join(folder, 'base'), scratch: folder };
  const replay = replayTask({ ...options, compute: toyCompute(), turn: (call) => call(), signal });
  await expect(replay).rejects.toMatchObject({ family: 'check', code: 'base.wrong_state' });
});

test('an aborted replay ends with the reason', async () => {
  const stop = new AbortController();
  const spec = taskSpec(manifest, canonicalId(manifest), 0, base);
  const replay = replayTask({
    taskId: task.taskId,
    slot: 1,
    spec,
    base: join(folder, 'base'),
    scratch: folder,
    compute: toyCompute({ stepMs: 5_000 }),
    turn: (call) => call(),
    signal: stop.signal,
    onStep: () => {},
  });
  stop.abort(new Error('no longer wanted'));
  await expect(replay).rejects.toThrow('no longer wanted');
});

test('the trace root is the root over the published leaves', async () => {
  const spec = taskSpec(manifest, canonicalId(manifest), 0, base);
  const options = { taskId: task.taskId, slot: 1, spec, base: join(folder, 'base'), scratch: folder };
  const replay = await replayTask({ ...options, compute: toyCompute(), turn: (call) => call(), signal });
  expect(replay.leaves).toHaveLength(7);
  expect(replay.outcome?.traceRoot).toBe(traceRoot(replay.leaves));
});

test('an unknown fault names the known ones', () => {
  expect(() => checkFault('zero')).toThrow(/There is no fault "zero"; there are zero-delta, noise/);
  expect(() => checkFault('toString')).toThrow('There is no fault');
  expect(Object.keys(faults)).toEqual(expect.arrayContaining(['silent', 'crash', 'absent-verifier']));
});
