// Rows of channels to rows of lanes and back, and their packing.
#pragma once

#include "kernels/canon/reduce.h"

namespace panthalia::canon::PANTHALIA_ISA {

#if PANTHALIA_WIDTH > 1

constexpr int64_t transposed_at_once = 8;

/** to[c][r] = from[r][c], 8 x 8 */
PANTHALIA_INLINE void transpose_square(const float* from, int64_t from_pitch, float* to, int64_t to_pitch) {
  __m256 r[8], pairs[8], fours[8];
  for (int i = 0; i < 8; ++i) r[i] = _mm256_loadu_ps(from + i * from_pitch);
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    pairs[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    fours[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
    fours[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xee);
    fours[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
    fours[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(to + i * to_pitch, _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20));
    _mm256_storeu_ps(to + (i + 4) * to_pitch, _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31));
  }
}

#else

constexpr int64_t transposed_at_once = 1;

PANTHALIA_INLINE void transpose_square(const float* from, int64_t, float* to, int64_t) { *to = *from; }

#endif

/** to[c][r] = from[r][c] */
static void transpose(const float* from, int64_t from_pitch, int64_t rows, int64_t columns, float* to,
                      int64_t to_pitch) {
  constexpr int64_t n = transposed_at_once;
  const int64_t whole_rows = rows / n * n, whole_columns = columns / n * n;
  for (int64_t r = 0; r < whole_rows; r += n) {
    for (int64_t c = 0; c < whole_columns; c += n) {
      transpose_square(from + r * from_pitch + c, from_pitch, to + c * to_pitch + r, to_pitch);
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = r < whole_rows ? whole_columns : 0; c < columns; ++c) to[c * to_pitch + r] = from[r * from_pitch + c];
  }
}

/** to[r][c] = from[r][c] */
static void pack(const float* from, int64_t from_pitch, int64_t rows, int64_t columns, float* to, int64_t to_pitch) {
  for (int64_t r = 0; r < rows; ++r) {
    for_row(columns, [&](At at) { store_at(to + r * to_pitch, load_at(from + r * from_pitch, at), at); });
  }
}

/** Writes +0 to columns [from, to) of every row. */
static void clear_columns(float* data, int64_t pitch, int64_t rows, int64_t from, int64_t to) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = from; c < to; ++c) data[r * pitch + c] = 0.0f;
  }
}

static bool rows_are_finite(const float* data, int64_t pitch, int64_t rows, int64_t columns) {
  Ints largest = broadcast_int(0);
  for (int64_t r = 0; r < rows; ++r) {
    for_row(columns, [&](At at) { largest = greater_int(largest, magnitude_bits(load_at(data + r * pitch, at))); });
  }
  return are_finite(largest);
}

}  // namespace panthalia::canon::PANTHALIA_ISA
