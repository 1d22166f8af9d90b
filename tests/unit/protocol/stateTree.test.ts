import { describe, expect, it } from 'vitest';
import {
  chunkPlace,
  chunkProof,
  groupRoot,
  modelTensors,
  parameterCount,
  stateRoot,
} from '../../../src/protocol/stateTree.js';
import fixture from '../../fixtures/stateTree.json' with { type: 'json' };
import { fixtureArena } from '../../helpers/fixtureArena.js';

type Case = (typeof fixture.cases)[number];

const { model, stateRoot: root } = fixture.cases[0] as Case;
const count = parameterCount(model);
const arenas = (length = count) => ({
  theta: fixtureArena(0, length),
  m: fixtureArena(1, length),
  v: fixtureArena(2, length),
});

describe('the state tree', () => {
  it.each(fixture.cases)('gives the root of the shared fixture: $model', (expected) => {
    expect(parameterCount(expected.model)).toBe(expected.parameterCount);
    expect(stateRoot(expected.model, arenas(expected.parameterCount))).toBe(expected.stateRoot);
  });

  it.each(fixture.cases)(
    'gives the proofs of the shared fixture, which the contract opens: $model',
    (expected) => {
      const groups = ([0, 1, 2] as const).map((group) => fixtureArena(group, expected.parameterCount));
      expect(groups.map((arena) => groupRoot(expected.model, arena))).toEqual(expected.groupRoots);
      for (const { group, siblings, offset, ...place } of expected.proofs) {
        const arena = groups[group] as Uint8Array;
        const first = 4 * (offset + 1024 * place.chunk);
        const end = Math.min(first + 4096, 4 * (offset + place.floats));
        expect(chunkProof(expected.model, arena, place)).toEqual({
          data: arena.subarray(first, end),
          proof: siblings,
        });
        expect(chunkPlace(expected.model, place.tensor, place.chunk)).toEqual(place);
      }
    },
  );

  it('has no proof for a chunk that the model does not have', () => {
    const { theta } = arenas();
    for (const [tensor, chunk] of [
      [15, 0],
      [-1, 0],
      [0, 3],
      [0, -1],
    ] as const) {
      expect(() => chunkProof(model, theta, { tensor, chunk })).toThrow(
        `no chunk ${chunk} of tensor ${tensor}`,
      );
    }
  });

  it('changes with any byte of any arena', () => {
    for (const name of ['theta', 'm', 'v'] as const) {
      for (const byte of [0, 4 * 1024, 4 * count - 1]) {
        const changed = arenas();
        changed[name][byte] = (changed[name][byte] as number) ^ 1;
        expect(stateRoot(model, changed)).not.toBe(root);
      }
    }
  });

  it('tells theta from m from v', () => {
    const { theta, m, v } = arenas();
    expect(stateRoot(model, { theta: m, m: theta, v })).not.toBe(root);
  });

  it('refuses an arena of another size, with both sizes in the message', () => {
    const short = { ...arenas(), m: new Uint8Array(8) };
    expect(() => stateRoot(model, short)).toThrow(`has ${4 * count} bytes, received 8`);
  });

  it('packs the tensors in manifest order without gaps', () => {
    const tensors = modelTensors(model);
    expect(tensors.map(({ name }) => name).slice(0, 4)).toEqual([
      'transformer.wte.weight',
      'transformer.wpe.weight',
      'transformer.h.0.ln_1.weight',
      'transformer.h.0.attn.c_attn.weight',
    ]);
    expect(tensors.at(-1)?.name).toBe('transformer.ln_f.weight');
    let end = 0;
    for (const { offset, length, shape } of tensors) {
      expect(offset).toBe(end);
      expect(length).toBe(shape.reduce((product, size) => product * size));
      end += length;
    }
    expect(end).toBe(count);
  });
});
