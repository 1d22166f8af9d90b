// Operands of a product, packed like those of canon-f32-v1, but two terms to a word.
#pragma once

#include "kernels/canon/gemm.h"
#include "kernels/torch/bf16_pairs.h"

namespace panthalia::canon::bf16 {

/** Rows of A or columns of B, as Lines has them in floats. */
struct Bf16Lines {
  const Bf16* data;
  int64_t line_step;
  int64_t k_step;

  Bf16Lines(Lines lines) : Bf16Lines(bf16s(lines.data), lines.line_step, lines.k_step) {}
  Bf16Lines(const Bf16* data, int64_t line_step, int64_t k_step) : data(data), line_step(line_step), k_step(k_step) {}
  Bf16Lines at(int64_t line, int64_t k) const { return {data + line * line_step + k * k_step, line_step, k_step}; }
};

/** `lines` is at most Width; the others are zero. Words of 32 terms at a time lie adjacent first. */
template <int Width>
static void pack_adjacent_pairs(Bf16Lines from, int64_t lines, int64_t terms, float* to) {
  constexpr int64_t square = transposed_at_once;
  alignas(64) float words[Width * W] = {};
  for (int64_t term = 0; term < terms; term += 2 * W) {
    const int64_t count = least(terms - term, 2 * W), pairs = pairs_of(count);
    float* const packed = to + term / 2 * Width;
    for (int64_t i = 0; i < lines; ++i) pad_row(from.at(i, term).data, count, words + i * W);
    if (pairs == W) {
      for (int64_t i = 0; i < Width; i += square) {
        for (int64_t k = 0; k < W; k += square) transpose_square(words + i * W + k, W, packed + k * Width + i, Width);
      }
    } else {
      transpose(words, W, Width, pairs, packed, Width);
    }
  }
}

/** Sixteen lines from l on: their words to the panel or the two panels they are of. */
template <int Width>
PANTHALIA_INLINE void store_words(Floats words, int64_t l, int64_t pair, int64_t lines, float* packed, int64_t step) {
  if (l >= lines) return;
  if constexpr (Width % W == 0) {
    store(packed + l / Width * Width * step + pair * Width + l % Width, words);
  } else {
    static_assert(2 * Width == W);
    float* const first = packed + l * step + pair * Width;
    _mm256_storeu_ps(first, _mm512_castps512_ps256(words));
    if (l + Width < lines) _mm256_storeu_ps(first + Width * step, _mm512_extractf32x8_ps(words, 1));
  }
}

/** The first of 32 numbers, zeros for the others. */
PANTHALIA_INLINE Ints load_line(const Bf16* p, int64_t count) {
  return count >= 2 * W ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi16((1u << count) - 1, p);
}

/** Where the same term of all lines lies adjacent: a cache line of lines at a time, so that none is read twice.
 *  filled: `lines`, and those that are zero in the last panel */
template <int Width>
static void pack_turned_pairs(Bf16Lines from, int64_t lines, int64_t filled, int64_t terms, float* packed, int64_t step) {
  constexpr int64_t terms_at_once = 16;
  for (int64_t block = 0; block < terms; block += terms_at_once) {
    const int64_t end = least(terms, block + terms_at_once);
    for (int64_t l = 0; l < filled; l += 2 * W) {
      const int64_t count = lines - l > 0 ? lines - l : 0;
      for (int64_t term = block; term < end; term += 2) {
        const Ints even = load_line(from.at(l, term).data, count);
        const Ints odd = term + 1 < terms ? load_line(from.at(l, term + 1).data, count) : broadcast_int(0);
        store_words<Width>(words_of<0>(even, odd), l, term / 2, filled, packed, step);
        store_words<Width>(words_of<W>(even, odd), l + W, term / 2, filled, packed, step);
      }
    }
  }
}

/** pack() of gemm_pack.h, over the words of so many terms. */
template <int Width>
static void pack_pairs(Bf16Lines from, int64_t lines, int64_t terms, float* packed, int64_t step) {
  if (from.k_step != 1) {
    return pack_turned_pairs<Width>(from, lines, (lines + Width - 1) / Width * Width, terms, packed, step);
  }
  for (int64_t i = 0; i < lines; i += Width) {
    pack_adjacent_pairs<Width>(from.at(i, 0), least(lines - i, Width), terms, packed + i * step);
  }
}

}  // namespace panthalia::canon::bf16
