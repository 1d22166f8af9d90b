#define PANTHALIA_ISA bf16
#define PANTHALIA_WIDTH 16
#include "kernels/torch/bf16_kernels.h"

#include "kernels/canon/gemm.h"

namespace panthalia {
namespace canon::bf16 {
namespace {

/** Sixteen floats, rounded, in the upper halves of words. */
Ints rounded(Floats x) {
  return shift_left<16>(_mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x))));
}

struct PairTiling : GemmTiling<8, 3, 2> {
  static Floats multiply_add(Floats a, Floats b, Floats sum) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
  static void finish(const GemmCall& call, int64_t first, int64_t n) {
    float* product = (call.up != nullptr ? call.up : call.out) + first;
    for_row(n, [&](At at) { store_at(product, floats(rounded(load_at(product, at))), at); });
    finish_product(call, first, n);
  }
};

void pair_columns(const float* from, int64_t columns, float* words, int64_t begin, int64_t end) {
  const int64_t pairs = pairs_of(columns);
  for (int64_t r = begin; r < end; ++r) {
    const float* const row = from + r * columns;
    for_row(pairs, [&](At at) {
      const int64_t left = columns - 2 * at.i, above = left - W;
      const Floats low = left >= W ? load(row + 2 * at.i) : load_first(row + 2 * at.i, left);
      const Floats high = above >= W ? load(row + 2 * at.i + W) : load_first(row + 2 * at.i + W, above > 0 ? above : 0);
      store_at(words + r * pairs, reinterpret_cast<Floats>(_mm512_cvtne2ps_pbh(high, low)), at);
    });
  }
}

void pair_rows(const float* from, int64_t rows, int64_t columns, float* words, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const float* const even = from + 2 * r * columns;
    const bool has_odd = 2 * r + 1 < rows;
    for_row(columns, [&](At at) {
      const Ints low = _mm512_srli_epi32(rounded(load_at(even, at)), 16);
      const Floats odd = has_odd ? load_at(even + columns, at) : zero();
      store_at(words + r * columns, floats(or_int(low, rounded(odd))), at);
    });
  }
}

}  // namespace
}  // namespace canon::bf16

const Bf16Kernels bf16_kernels = {canon::bf16::gemm_kernel<canon::bf16::PairTiling>, canon::bf16::pair_columns,
                                  canon::bf16::pair_rows};

}  // namespace panthalia
