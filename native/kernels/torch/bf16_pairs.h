// Numbers in bf16, and two of them to a word: the factors of the instruction for bf16.
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

PANTHALIA_INLINE const Bf16* bf16s(const float* data) { return reinterpret_cast<const Bf16*>(data); }
PANTHALIA_INLINE Bf16* bf16s(float* data) { return reinterpret_cast<Bf16*>(data); }

/** Sixteen numbers. */
PANTHALIA_INLINE __m256i load_at(const Bf16* p, At at) {
  return at.count == W ? _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + at.i))
                       : _mm256_maskz_loadu_epi16(first(at.count), p + at.i);
}
PANTHALIA_INLINE void store_at(Bf16* p, __m256i x, At at) {
  if (at.count == W) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + at.i), x);
  } else {
    _mm256_mask_storeu_epi16(p + at.i, first(at.count), x);
  }
}
PANTHALIA_INLINE __m256i rounded(Floats x) { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)); }
PANTHALIA_INLINE Floats widened(__m256i x) { return floats(shift_left<16>(_mm512_cvtepu16_epi32(x))); }
PANTHALIA_INLINE Floats widened_at(const Bf16* p, At at) { return widened(load_at(p, at)); }

PANTHALIA_INLINE void round_row(const float* from, int64_t columns, Bf16* to) {
  for_row(columns, [&](At at) { store_at(to, rounded(load_at(from, at)), at); });
}

/** A row to words; a zero is paired with the last of an odd number. */
PANTHALIA_INLINE void pad_row(const Bf16* from, int64_t columns, float* words) {
  int64_t c = 0;
  for (; c + 2 * W <= columns; c += 2 * W) store(words + c / 2, floats(_mm512_loadu_si512(from + c)));
  if (c == columns) return;
  const Ints rest = _mm512_maskz_loadu_epi16((1u << (columns - c)) - 1, from + c);
  store_first(words + c / 2, floats(rest), pairs_of(columns - c));
}

/** Which of 32 numbers and 32 others make words of one of each, from `first` on.  others: where the others begin */
PANTHALIA_INLINE Ints in_turn(int first, int others) {
  const Ints even = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const Ints from = add_int(even, broadcast_int(first));
  return or_int(from, shift_left<16>(add_int(from, broadcast_int(others))));
}
/** Words of sixteen numbers and the sixteen behind them. */
PANTHALIA_INLINE Floats words_of(Ints both) { return floats(_mm512_permutexvar_epi16(in_turn(0, W), both)); }
PANTHALIA_INLINE Floats words_of(__m256i even, __m256i odd) {
  return words_of(_mm512_inserti64x4(_mm512_castsi256_si512(even), odd, 1));
}
/** Words of sixteen numbers of each, from `First` on. */
template <int First>
PANTHALIA_INLINE Floats words_of(Ints even, Ints odd) {
  return floats(_mm512_permutex2var_epi16(even, in_turn(First, 2 * W), odd));
}

/** Rows of words: each of two columns. */
static void pair_columns(const Bf16* from, int64_t pitch, int64_t rows, int64_t columns, float* words, int64_t words_pitch) {
  for (int64_t r = 0; r < rows; ++r) pad_row(from + r * pitch, columns, words + r * words_pitch);
}

/** pairs_of(rows) rows of words: each of two rows. A zero is paired with the last of an odd number. */
static void pair_rows(const Bf16* from, int64_t pitch, int64_t rows, int64_t columns, float* words, int64_t words_pitch) {
  for (int64_t r = 0; r < rows; r += 2) {
    const Bf16* const row = from + r * pitch;
    for_row(columns, [&](At at) {
      const __m256i odd = r + 1 < rows ? load_at(row + pitch, at) : __m256i{};
      store_at(words + r / 2 * words_pitch, words_of(load_at(row, at), odd), at);
    });
  }
}

/** The same, of rows that are rounded here. */
static void pair_rows(const float* from, int64_t pitch, int64_t rows, int64_t columns, float* words, int64_t words_pitch) {
  for (int64_t r = 0; r < rows; r += 2) {
    const float* const row = from + r * pitch;
    for_row(columns, [&](At at) {
      const Floats odd = r + 1 < rows ? load_at(row + pitch, at) : zero();
      store_at(words + r / 2 * words_pitch, words_of(reinterpret_cast<Ints>(_mm512_cvtne2ps_pbh(odd, load_at(row, at)))), at);
    });
  }
}

/** pair_columns, of rows that are rounded here. */
static void pair_columns(const float* from, int64_t pitch, int64_t rows, int64_t columns, float* words, int64_t words_pitch) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* const row = from + r * pitch;
    for_row(pairs_of(columns), [&](At at) {
      const int64_t left = columns - 2 * at.i, above = left - W;
      const Floats low = left >= W ? load(row + 2 * at.i) : load_first(row + 2 * at.i, left);
      const Floats high = above >= W ? load(row + 2 * at.i + W) : load_first(row + 2 * at.i + W, above > 0 ? above : 0);
      store_at(words + r * words_pitch, reinterpret_cast<Floats>(_mm512_cvtne2ps_pbh(high, low)), at);
    });
  }
}

}  // namespace panthalia::canon::bf16
