// The products of attention's tiles. A tile on the diagonal has keys that some of its queries do not see, and what p or ds are
// there is +0: what it would add to a chain is left out where that can not change the result.
#pragma once

#include "kernels/canon/attention_transpose.h"
#include "kernels/canon/kernels.h"

namespace panthalia::canon::PANTHALIA_ISA {

/** Lanes come in multiples of this. */
constexpr int64_t lane_group = 16;

PANTHALIA_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
PANTHALIA_INLINE int64_t in_groups(int64_t n) { return (n + lane_group - 1) / lane_group * lane_group; }

/** c[r][l] = sum over k of a[r][k] * b[k][l] */
struct Product {
  const float* a;
  int64_t a_row, a_step;  // floats from a[r][k] to a[r + 1][k] and to a[r][k + 1]
  const float* b;
  int64_t b_pitch;
  float* c;
  int64_t c_pitch;

  Product from_row(int64_t r) const { return {a + r * a_row, a_row, a_step, b, b_pitch, c + r * c_pitch, c_pitch}; }
  Product from_lane(int64_t l) const { return {a, a_row, a_step, b + l, b_pitch, c + l, c_pitch}; }
  Product from_step(int64_t k) const { return {a + k * a_step, a_row, a_step, b + k * b_pitch, b_pitch, c, c_pitch}; }
};

/** What becomes of the chains that a product starts or continues. */
enum class Chain {
  start,     // at +0
  go_on,     // from what c has
  add_next,  // at +0, then added to what c has
};

/** What is done with a term of a chain. */
struct FusedStep {
  static Floats multiply_add(Floats a, Floats b, Floats sum) { return fma(a, b, sum); }
};

template <typename Step, int Rows, int Vectors>
static void multiply_block(Product p, int64_t depth, Chain chain) {
  Floats sums[Rows][Vectors];
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) sums[r][v] = zero();
  }
  if (chain == Chain::go_on) {
    for (int r = 0; r < Rows; ++r) {
      for (int v = 0; v < Vectors; ++v) sums[r][v] = load(p.c + r * p.c_pitch + v * W);
    }
  }
  for (int64_t k = 0; k < depth; ++k, p.a += p.a_step, p.b += p.b_pitch) {
    Floats lanes[Vectors];
    for (int v = 0; v < Vectors; ++v) lanes[v] = load(p.b + v * W);
    for (int r = 0; r < Rows; ++r) {
      const Floats x = broadcast(p.a[r * p.a_row]);
      for (int v = 0; v < Vectors; ++v) sums[r][v] = Step::multiply_add(x, lanes[v], sums[r][v]);
    }
  }
  if (chain == Chain::add_next) {
    for (int r = 0; r < Rows; ++r) {
      for (int v = 0; v < Vectors; ++v) sums[r][v] = add(load(p.c + r * p.c_pitch + v * W), sums[r][v]);
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) store(p.c + r * p.c_pitch + v * W, sums[r][v]);
  }
}

constexpr int block_rows = 6;
constexpr int block_vectors = W == 16 ? 4 : 2;

template <typename Step, int Vectors, int Rows = block_rows>
PANTHALIA_INLINE void multiply_rows(Product p, int64_t rows, int64_t depth, Chain chain) {
  for (; rows >= Rows; rows -= Rows, p = p.from_row(Rows)) multiply_block<Step, Rows, Vectors>(p, depth, chain);
  if constexpr (Rows > 1) multiply_rows<Step, Vectors, Rows - 1>(p, rows, depth, chain);
}

template <typename Step, int Vectors = block_vectors>
PANTHALIA_INLINE void multiply_lanes(Product p, int64_t rows, int64_t lanes, int64_t depth, Chain chain) {
  for (; lanes >= Vectors * W; lanes -= Vectors * W, p = p.from_lane(Vectors * W)) {
    multiply_rows<Step, Vectors>(p, rows, depth, chain);
  }
  if constexpr (Vectors * W > lane_group) multiply_lanes<Step, Vectors - 1>(p, rows, lanes, depth, chain);
}

/** Part of a chain, or all of it: at most chain_chunk terms. */
template <typename Step = FusedStep>
static void multiply(const Product& p, int64_t rows, int64_t lanes, int64_t depth, Chain chain) {
  multiply_lanes<Step>(p, rows, lanes, depth, chain);
}

/** Lanes that are treated alike on the diagonal: few, so that little is done in vain, and enough to keep a core busy. */
constexpr int64_t diagonal_lanes = W == 16 ? 32 : 16;

/** By the GEMM rule over all channels: keys by queries. On the diagonal only what some query of a group sees. */
static void multiply_channels(const Product& product, int64_t keys, int64_t queries, int64_t channels, bool diagonal) {
  const int64_t group = diagonal ? diagonal_lanes : queries;
  for (int64_t k = 0; k < channels; k += chain_chunk) {
    for (int64_t l = 0; l < queries; l += group) {
      multiply(product.from_step(k).from_lane(l), diagonal ? least(keys, l + group) : keys, least(queries - l, group),
               least(channels - k, chain_chunk), k == 0 ? Chain::start : Chain::add_next);
    }
  }
}

static bool has_minus_zero(const float* data, int64_t pitch, int64_t rows, int64_t columns) {
  Ints most = broadcast_int(INT32_MIN);
  for (int64_t r = 0; r < rows; ++r) {
    for_row(columns, [&](At at) {
      most = greater_int(most, sub_int(bits(load_at(data + r * pitch, at)), broadcast_int(1)));
    });
  }
  int32_t lanes[W];
  __builtin_memcpy(lanes, &most, sizeof(lanes));
  bool found = false;
  for (int64_t l = 0; l < W; ++l) found = found || lanes[l] == INT32_MAX;  // -0 less 1, as integers
  return found;
}

/** Over keys: channels by queries, where b has +0 for queries that do not see the key. Such a term is +0 or -0 if a is finite,
 *  and changes no sum but -0. */
static void multiply_keys(const Product& product, int64_t channels, int64_t queries, int64_t keys, Chain chain,
                          bool diagonal, bool finite) {
  if (!diagonal || !finite) return multiply(product, channels, queries, keys, chain);
  for (int64_t l = 0; l < queries; l += diagonal_lanes) {
    const Product part = product.from_lane(l);
    const int64_t lanes = least(queries - l, diagonal_lanes), seen = least(keys, l + diagonal_lanes);
    multiply(part, channels, lanes, seen, chain);
    if (seen == keys || !has_minus_zero(part.c, part.c_pitch, channels, lanes)) continue;
    multiply(part.from_step(seen), channels, lanes, keys - seen, Chain::go_on);
  }
}

/** Over queries: keys by channels, where a has +0 for queries that do not see the key. On the diagonal these are the first of
 *  the chain, which starts at +0 and stays there if b is finite. */
static void multiply_queries(const Product& product, int64_t keys, int64_t channels, int64_t queries, Chain chain,
                             bool diagonal, bool finite) {
  if (!diagonal || !finite) return multiply(product, keys, channels, queries, chain);
  for (int64_t j = 0; j < keys; j += block_rows) {
    multiply(product.from_row(j).from_step(j), least(keys - j, block_rows), channels, queries - j, Chain::start);
  }
}

}  // namespace panthalia::canon::PANTHALIA_ISA
