// fp32 numbers rounded to bf16, two to a word: the factors of the instruction for bf16.
#pragma once

#include "kernels/canon/reduce.h"
#include "kernels/torch/bf16_kernels.h"

namespace panthalia::canon::bf16 {

/** A step over two terms. */
struct PairStep {
  static Floats multiply_add(Floats a, Floats b, Floats sum) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
};

/** Sixteen floats, rounded, in the upper halves of words. */
PANTHALIA_INLINE Ints rounded(Floats x) {
  return shift_left<16>(_mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x))));
}

PANTHALIA_INLINE void round_row(const float* from, int64_t columns, float* to) {
  for_row(columns, [&](At at) { store_at(to, floats(rounded(load_at(from, at))), at); });
}

/** words[c] = from[2 c], from[2 c + 1]; a zero is paired with the last of an odd number. */
PANTHALIA_INLINE void pair_in_row(const float* from, int64_t columns, float* words) {
  for_row(pairs_of(columns), [&](At at) {
    const int64_t left = columns - 2 * at.i, above = left - W;
    const Floats low = left >= W ? load(from + 2 * at.i) : load_first(from + 2 * at.i, left);
    const Floats high = above >= W ? load(from + 2 * at.i + W) : load_first(from + 2 * at.i + W, above > 0 ? above : 0);
    store_at(words, reinterpret_cast<Floats>(_mm512_cvtne2ps_pbh(high, low)), at);
  });
}

/** words[c] = even[c], odd[c], or a zero where there is no odd row. */
PANTHALIA_INLINE void pair_two_rows(const float* even, const float* odd, int64_t columns, float* words) {
  for_row(columns, [&](At at) {
    const Ints low = _mm512_srli_epi32(rounded(load_at(even, at)), 16);
    store_at(words, floats(odd != nullptr ? or_int(low, rounded(load_at(odd, at))) : low), at);
  });
}

/** Rows of words: each of two columns. */
static void pair_columns(const float* from, int64_t pitch, int64_t rows, int64_t columns, float* words, int64_t words_pitch) {
  for (int64_t r = 0; r < rows; ++r) pair_in_row(from + r * pitch, columns, words + r * words_pitch);
}

/** pairs_of(rows) rows of words: each of two rows. */
static void pair_rows(const float* from, int64_t pitch, int64_t rows, int64_t columns, float* words, int64_t words_pitch) {
  for (int64_t r = 0; r < rows; r += 2) {
    const float* const even = from + r * pitch;
    pair_two_rows(even, r + 1 < rows ? even + pitch : nullptr, columns, words + r / 2 * words_pitch);
  }
}

}  // namespace panthalia::canon::bf16
