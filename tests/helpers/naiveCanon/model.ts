/** Section 4: the model as a whole, one forward and backward pass in its order. */
import type { ModelShape } from '../../../src/protocol/task.js';
import { type AttentionShape, attention, attentionBackward } from './attention.js';
import { add, at } from './binary32.js';
import {
  crossEntropy,
  gelu,
  geluBackward,
  layerNorm,
  layerNormBackward,
  linear,
  linearBackward,
  sum,
} from './operators.js';
import { colsum } from './sums.js';

export interface TensorShape {
  name: string;
  shape: number[];
}

/** The manifest order. */
export function tensorShapes({ vocabSize: V, blockSize, layers, width: C }: ModelShape): TensorShape[] {
  const shapes: [string, number[]][] = [
    ['wte', [V, C]],
    ['wpe', [blockSize, C]],
  ];
  for (let i = 0; i < layers; i++) {
    shapes.push(
      [`${i}.ln_1`, [C]],
      [`${i}.attn.c_attn`, [3 * C, C]],
      [`${i}.attn.c_proj`, [C, C]],
      [`${i}.ln_2`, [C]],
      [`${i}.mlp.c_fc`, [4 * C, C]],
      [`${i}.mlp.c_proj`, [C, 4 * C]],
    );
  }
  shapes.push(['ln_f', [C]]);
  return shapes.map(([name, shape]) => ({ name, shape }));
}

/** One array per tensor, in manifest order. */
export type Tensors = Float32Array[];

interface Named {
  wte: Float32Array;
  wpe: Float32Array;
  layers: Record<'ln1' | 'cAttn' | 'attnProj' | 'ln2' | 'cFc' | 'mlpProj', Float32Array>[];
  lnF: Float32Array;
}

function named(tensors: Tensors): Named {
  const tensor = (i: number) => tensors[i] as Float32Array;
  const layers = Array.from({ length: (tensors.length - 3) / 6 }, (_, layer) => {
    const first = 2 + 6 * layer;
    return {
      ...{ ln1: tensor(first), cAttn: tensor(first + 1), attnProj: tensor(first + 2) },
      ...{ ln2: tensor(first + 3), cFc: tensor(first + 4), mlpProj: tensor(first + 5) },
    };
  });
  return { wte: tensor(0), wpe: tensor(1), layers, lnF: tensor(tensors.length - 1) };
}

export interface Pass {
  model: ModelShape;
  rows: number;
  tokens: number;
  microBatches: number;
  /** (B, T) each, one micro-batch */
  inputs: Int32Array;
  targets: Int32Array;
}

function embedding({ wte, wpe }: Named, { model: { width: C }, tokens: T, inputs }: Pass): Float32Array {
  const x = new Float32Array(inputs.length * C);
  inputs.forEach((token, n) => {
    for (let c = 0; c < C; c++) x[n * C + c] = add(at(wte, token * C + c), at(wpe, (n % T) * C + c));
  });
  return x;
}

/** dwte holds the head's gradient and is added to; dwpe (blockSize, C) is written. */
function embeddingBackward(
  dx: Float32Array,
  { dwte, dwpe }: Record<'dwte' | 'dwpe', Float32Array>,
  pass: Pass,
) {
  const { rows: B, tokens: T, inputs } = pass;
  const C = pass.model.width;
  inputs.forEach((token, n) => {
    for (let c = 0; c < C; c++) dwte[token * C + c] = add(at(dwte, token * C + c), at(dx, n * C + c));
  });
  for (let t = 0; t < T; t++) {
    for (let c = 0; c < C; c++) dwpe[t * C + c] = colsum(B, (b) => at(dx, (b * T + t) * C + c));
  }
}

/** Loss of one micro-batch and its gradient of theta, in manifest order. */
export function forwardBackward(theta: Tensors, pass: Pass): { loss: number; gradient: Tensors } {
  const { width: C, heads, gelu: form = 'erf' } = pass.model;
  const shape: AttentionShape = { rows: pass.rows, tokens: pass.tokens, heads, width: C };
  const parameters = named(theta);
  const gradient = theta.map((tensor) => new Float32Array(tensor.length));
  const gradients = named(gradient);

  let x = embedding(parameters, pass);
  const kept = parameters.layers.map((w) => {
    const a = layerNorm(x, w.ln1);
    const qkv = linear(a, w.cAttn, C);
    const o = attention(shape, qkv);
    const y = sum(x, linear(o, w.attnProj, C));
    const f = layerNorm(y, w.ln2);
    const u = linear(f, w.cFc, C);
    const activated = gelu(u, form);
    const layer = { x, a, qkv, o, y, f, u, activated };
    x = sum(y, linear(activated, w.mlpProj, 4 * C));
    return layer;
  });
  const final = layerNorm(x, parameters.lnF);
  const z = linear(final, parameters.wte, C);
  const { loss, dz } = crossEntropy(z, pass.targets, pass.microBatches);

  let stream: Float32Array = new Float32Array(x.length);
  const head = linearBackward(dz, final, parameters.wte, C);
  gradients.wte.set(head.dw);
  const last = layerNormBackward(head.dx, x, parameters.lnF);
  gradients.lnF.set(last.dgain);
  stream = sum(stream, last.dx);
  for (let i = kept.length - 1; i >= 0; i--) {
    const [w, g, layer] = [parameters.layers[i], gradients.layers[i], kept[i]] as const;
    if (!w || !g || !layer) throw new RangeError(`there is no layer ${i}`);
    const mlpProj = linearBackward(stream, layer.activated, w.mlpProj, 4 * C);
    const cFc = linearBackward(geluBackward(mlpProj.dx, layer.u, form), layer.f, w.cFc, C);
    const ln2 = layerNormBackward(cFc.dx, layer.y, w.ln2);
    stream = sum(stream, ln2.dx);
    const attnProj = linearBackward(stream, layer.o, w.attnProj, C);
    const dqkv = attentionBackward(shape, { dout: attnProj.dx, qkv: layer.qkv, o: layer.o });
    const cAttn = linearBackward(dqkv, layer.a, w.cAttn, C);
    const ln1 = layerNormBackward(cAttn.dx, layer.x, w.ln1);
    stream = sum(stream, ln1.dx);
    g.mlpProj.set(mlpProj.dw);
    g.cFc.set(cFc.dw);
    g.ln2.set(ln2.dgain);
    g.attnProj.set(attnProj.dw);
    g.cAttn.set(cAttn.dw);
    g.ln1.set(ln1.dgain);
  }
  embeddingBackward(stream, { dwte: gradients.wte, dwpe: gradients.wpe }, pass);
  return { loss, gradient };
}
