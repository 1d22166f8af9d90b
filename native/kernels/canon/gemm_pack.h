// Operands of a product, copied so that a tile reads them in one ascending stream: section 2 of docs/opset-canon-f32-v1.md.
#pragma once

#include "kernels/canon/attention_transpose.h"

namespace panthalia::canon::PANTHALIA_ISA {

/** Rows of A or columns of B: term k of line i lies at data[i * line_step + k * k_step], and one of the steps is 1. */
struct Lines {
  const float* data;
  int64_t line_step;
  int64_t k_step;

  Lines at(int64_t line, int64_t k) const { return {data + line * line_step + k * k_step, line_step, k_step}; }
};

/** to[k * width + i] = term k of line i, for `lines` lines and `depth` terms. */
PANTHALIA_INLINE void pack_terms(Lines from, int64_t lines, int64_t depth, float* to, int64_t width) {
  for (int64_t k = 0; k < depth; ++k) {
    for (int64_t i = 0; i < lines; ++i) to[k * width + i] = from.data[i * from.line_step + k * from.k_step];
  }
}

/** The same where the terms of a line are adjacent. Two squares at a time, with 8 lines a cache line of each, before the next
 *  lines may displace it. */
static void pack_adjacent_terms(Lines from, int64_t lines, int64_t depth, float* to, int64_t width) {
  constexpr int64_t square = transposed_at_once;
  const int64_t whole_lines = lines - lines % square, whole_depth = depth - depth % (2 * square);
  for (int64_t k = 0; k < whole_depth; k += 2 * square) {
    for (int64_t i = 0; i < whole_lines; i += square) {
      transpose_square(from.at(i, k).data, from.line_step, to + k * width + i, width);
      transpose_square(from.at(i, k + square).data, from.line_step, to + (k + square) * width + i, width);
    }
  }
  pack_terms(from.at(0, whole_depth), whole_lines, depth - whole_depth, to + whole_depth * width, width);
  pack_terms(from.at(whole_lines, 0), lines - whole_lines, depth, to + whole_lines, width);
}

/** Panels of Width lines, each `depth` terms long and Width * step floats apart; the last is filled up with zeros.
 *  packed: ceil(lines / Width) * Width * step floats */
template <int Width>
static void pack(Lines from, int64_t lines, int64_t depth, float* packed, int64_t step) {
  const int64_t whole_lines = lines - lines % Width;
  float* rest = packed + whole_lines * step;
  if (whole_lines < lines) __builtin_memset(rest, 0, sizeof(float) * Width * depth);
  if (from.k_step == 1) {
    for (int64_t i = 0; i < whole_lines; i += Width) {
      pack_adjacent_terms(from.at(i, 0), Width, depth, packed + i * step, Width);
    }
    return pack_adjacent_terms(from.at(whole_lines, 0), lines - whole_lines, depth, rest, Width);
  }
  // Not more terms at a time: where k_step is a multiple of a page, all of them share one set of the cache.
  constexpr int64_t terms = 8;
  for (int64_t k = 0; k < depth; k += terms) {
    const int64_t end = k + terms < depth ? k + terms : depth;
    for (int64_t i = 0; i < whole_lines; i += Width) {
      for (int64_t each = k; each < end; ++each) {
        __builtin_memcpy(packed + i * step + each * Width, from.at(i, each).data, sizeof(float) * Width);
      }
    }
  }
  pack(from.at(whole_lines, 0).data, from.k_step, depth, lines - whole_lines, rest, Width);
}

}  // namespace panthalia::canon::PANTHALIA_ISA
