/** What the events of a process, or of all processes of a run, add up to. */
import type { EventListener } from '../events/bus.js';
import type { PanthaliaEvent, StampedEvent } from '../events/types.js';
import { decades, type Instruments } from './instruments.js';

type Handlers = { [T in PanthaliaEvent['type']]?: (event: Extract<StampedEvent, { type: T }>) => void };

export function countEvents(instruments: Instruments): EventListener {
  const subjects = [training, verification, transfers, transactions, processes].map((one) =>
    one(instruments),
  );
  return (event) => {
    for (const handlers of subjects) {
      // The table is keyed by the discriminant, which TypeScript can not follow through an index.
      const handle = handlers[event.type] as ((event: StampedEvent) => void) | undefined;
      handle?.(event);
    }
  };
}

function training({ counter, gauge, histogram }: Instruments): Handlers {
  const loss = gauge('train_loss', 'Loss of the newest inner step, nats per token.', ['worker']);
  const steps = counter('train_steps_total', 'Inner steps made.', ['worker']);
  const tokens = counter('train_tokens_total', 'Tokens trained on, accepted or not.', ['worker']);
  const stepTime = 'Time of one inner step.';
  const stepSeconds = histogram('train_step_seconds', stepTime, ['worker'], decades(0.001, 100));
  const outerSteps = counter('outer_steps_total', 'Outer steps applied.');
  const validationLoss = gauge('validation_loss', 'Loss after the newest outer step, nats per token.');
  const applied = 'Version of the model: outer steps applied since the start of the job.';
  const modelVersion = gauge('model_version', applied);
  const solveTime = 'Engine time of one solution.';
  const solveSeconds = histogram('task_solve_seconds', solveTime, ['worker'], decades(0.1, 10_000));
  let batchTokens = 0;
  return {
    'run.started': ({ manifest }) => {
      const { batch } = manifest as { batch?: { rows: number; tokens: number } };
      batchTokens = (batch?.rows ?? 0) * (batch?.tokens ?? 0);
    },
    'train.step': (event) => {
      const worker = event.src;
      loss.set({ worker }, event.loss);
      steps.inc({ worker });
      tokens.inc({ worker }, batchTokens);
      stepSeconds.observe({ worker }, event.milliseconds / 1000);
    },
    'task.solved': ({ src: worker, computeSeconds }) => solveSeconds.observe({ worker }, computeSeconds),
    'outer.step': (event) => {
      outerSteps.inc();
      validationLoss.set(event.validationLoss);
      modelVersion.set(event.round + 1);
    },
  };
}

function verification({ counter }: Instruments): Handlers {
  const labels = ['worker', 'verdict'];
  const verifications = counter('verifications_total', 'Re-executions: audits, checks and votes.', labels);
  const looked = ({ src: worker, firstWrongStep }: { src: string; firstWrongStep: number | null }) =>
    verifications.inc({ worker, verdict: firstWrongStep === null ? 'valid' : 'invalid' });
  return {
    'audit.finished': looked,
    'check.computed': looked,
    'vote.computed': ({ src: worker, verdict }) => verifications.inc({ worker, verdict }),
  };
}

function transfers({ counter }: Instruments): Handlers {
  const labels = ['worker', 'direction'];
  const bytes = counter('transfer_bytes_total', 'Bytes of blobs.', labels);
  const time = counter('transfer_seconds_total', 'Time in transfers.', labels);
  const transferred =
    (direction: 'up' | 'down') =>
    ({ src: worker, sizeBytes, seconds }: { src: string; sizeBytes: number; seconds: number }) => {
      bytes.inc({ worker, direction }, sizeBytes);
      time.inc({ worker, direction }, seconds);
    };
  return { 'blob.pulled': transferred('down'), 'blob.pushed': transferred('up') };
}

function transactions({ counter }: Instruments): Handlers {
  const sent = counter('chain_tx_total', 'Transactions sent.', ['process']);
  const gas = counter('chain_gas_total', 'Gas used.', ['process']);
  return {
    'transaction.sent': ({ src: process, gasUsed }) => {
      sent.inc({ process });
      gas.inc({ process }, Number(gasUsed));
    },
  };
}

function processes({ counter, gauge }: Instruments): Handlers {
  const alerts = counter('alerts_total', 'Warnings and errors.', ['process', 'level']);
  const restarts = counter('process_restarts_total', 'Starts after the first.', ['process']);
  const up = gauge('process_up', '1 while the process runs.', ['process']);
  const started = new Set<string>();
  return {
    alert: ({ src: process, level }) => {
      if (level === 'warn' || level === 'error') alerts.inc({ process, level });
    },
    'process.started': ({ process }) => {
      up.set({ process }, 1);
      if (started.has(process)) restarts.inc({ process });
      started.add(process);
    },
    'process.exited': ({ process }) => up.set({ process }, 0),
  };
}
