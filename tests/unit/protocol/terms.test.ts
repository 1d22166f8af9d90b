import { AbiCoder, keccak256 } from 'ethers';
import { expect, test } from 'vitest';
import { sha256Hex } from '../../../src/protocol/requestAuth.js';
import { batchIdOf, slotBits, slotsIn, type Terms, taskIdOf } from '../../../src/protocol/terms.js';
import { alice, bob } from '../../helpers/facts.js';

const place = { chainId: 31337, market: bob };
const terms: Terms = {
  ...{ buyer: alice, price: 10n ** 19n, subnetId: 3, paramsVersion: 2, round: 7, innerSteps: 4 },
  ...{ jobId: sha256Hex('job'), baseRoot: sha256Hex('base'), specHash: sha256Hex('spec') },
  ...{ slots: slotBits([0, 5, 255]), salt: 9 },
};

test('ids are the hashes that the ABI coder of ethers gives', () => {
  const coder = AbiCoder.defaultAbiCoder();
  const tuple =
    'tuple(address buyer,uint96 price,uint32 subnetId,uint32 paramsVersion,uint32 round,uint32 innerSteps,bytes32 jobId,bytes32 baseRoot,bytes32 specHash,uint256 slots,uint32 salt)';
  const batchId = keccak256(coder.encode(['uint256', 'address', tuple], [31337, bob, terms]));
  expect(batchIdOf(place, terms)).toBe(batchId);
  const taskId = keccak256(
    coder.encode(['uint256', 'address', 'bytes32', 'uint8'], [31337, bob, batchId, 5]),
  );
  expect(taskIdOf(place, batchIdOf(place, terms), 5)).toBe(taskId);
});

test('slots are the bits of one word', () => {
  expect(slotsIn(slotBits([255, 3, 0]))).toEqual([0, 3, 255]);
  expect(slotBits([])).toBe(0n);
  for (const slot of [256, -1, 1.5]) expect(() => slotBits([slot])).toThrow(`received ${slot}`);
});
