import type { ModelVersion } from '../../src/data/versions.js';
import { sha256Hex } from '../../src/protocol/requestAuth.js';

/** A version that may follow `last`. */
export function versionAfter(last: ModelVersion | undefined): ModelVersion {
  const number = (last?.number ?? -1) + 1;
  return {
    number,
    jobId: sha256Hex('job'),
    round: last ? last.number : null,
    stateRoot: sha256Hex(`state ${number}`),
    parameters: sha256Hex(`parameters ${number}`),
    momentum: last ? sha256Hex(`momentum ${number}`) : null,
    parent: last?.stateRoot ?? null,
    contributions: [],
    validationLoss: 5.5 - number / 8,
  };
}
