/** The models that both opsets are tried with on a GPU. */
export const gpt2 = { vocabSize: 50_304, blockSize: 1024, layers: 12, heads: 12, width: 768 };

/** Shapes that fit no tile, nanoGPT's small one, and GPT-2's widths. */
export const shapes = [
  {
    name: 'odd, erf, 2 micro-batches',
    model: { vocabSize: 67, blockSize: 19, layers: 2, heads: 3, width: 33 },
    batch: { rows: 3, tokens: 17 },
    microBatches: 2,
  },
  {
    name: 'odd, tanh, 131 positions',
    model: { vocabSize: 1031, blockSize: 131, layers: 2, heads: 2, width: 26, gelu: 'tanh' },
    batch: { rows: 9, tokens: 131 },
  },
  {
    name: '4 x 128',
    model: { vocabSize: 65, blockSize: 64, layers: 4, heads: 4, width: 128 },
    batch: { rows: 12, tokens: 64 },
  },
  { name: '124M, 2 of 12 layers', model: { ...gpt2, layers: 2 }, batch: { rows: 1, tokens: 256 } },
];
