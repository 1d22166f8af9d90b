// What both directions of attention are made of. The lanes of a tile are queries, so that the softmax of a row needs no sums
// across lanes, or channels; either way they are padded to a multiple of `lane_group`.
#pragma once

#include "kernels/canon/kernels.h"
#include "kernels/canon/reduce.h"

namespace panthalia::canon::PANTHALIA_ISA {

constexpr int64_t lane_group = 16;
/** Floats between rows of lanes: an odd number of cache lines, so that the rows of a tile do not compete for cache sets. */
constexpr int64_t query_pitch = query_block + lane_group;

PANTHALIA_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
PANTHALIA_INLINE int64_t in_groups(int64_t n) { return (n + lane_group - 1) / lane_group * lane_group; }
PANTHALIA_INLINE int64_t channel_pitch(int64_t head_width) { return (in_groups(head_width) / lane_group | 1) * lane_group; }

/** c[r][l] = sum over k of a[r][k] * b[k][l] */
struct Product {
  const float* a;
  int64_t a_row, a_step;  // floats from a[r][k] to a[r + 1][k] and to a[r][k + 1]
  const float* b;
  int64_t b_pitch;
  float* c;
  int64_t c_pitch;
};

/** What becomes of the chains that a product starts or continues. */
enum class Chain {
  start,     // at +0
  go_on,     // from what c has
  add_next,  // at +0, then added to what c has
};

template <int Rows, int Vectors>
static void multiply_block(const Product& p, int64_t depth, Chain chain) {
  Floats sums[Rows][Vectors];
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) sums[r][v] = chain == Chain::go_on ? load(p.c + r * p.c_pitch + v * W) : zero();
  }
  const float *a = p.a, *b = p.b;
  for (int64_t k = 0; k < depth; ++k, a += p.a_step, b += p.b_pitch) {
    Floats lanes[Vectors];
    for (int v = 0; v < Vectors; ++v) lanes[v] = load(b + v * W);
    for (int r = 0; r < Rows; ++r) {
      const Floats x = broadcast(a[r * p.a_row]);
      for (int v = 0; v < Vectors; ++v) sums[r][v] = fma(x, lanes[v], sums[r][v]);
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) {
      float* const c = p.c + r * p.c_pitch + v * W;
      store(c, chain == Chain::add_next ? add(load(c), sums[r][v]) : sums[r][v]);
    }
  }
}

constexpr int block_rows = 6;
constexpr int block_vectors = W == 16 ? 4 : 2;

template <int Vectors, int Rows = block_rows>
PANTHALIA_INLINE void multiply_rows(Product p, int64_t rows, int64_t depth, Chain chain) {
  for (; rows >= Rows; rows -= Rows) {
    multiply_block<Rows, Vectors>(p, depth, chain);
    p.a += Rows * p.a_row;
    p.c += Rows * p.c_pitch;
  }
  if constexpr (Rows > 1) multiply_rows<Vectors, Rows - 1>(p, rows, depth, chain);
}

/** lanes: a multiple of lane_group */
template <int Vectors = block_vectors>
PANTHALIA_INLINE void multiply_lanes(Product p, int64_t rows, int64_t lanes, int64_t depth, Chain chain) {
  for (; lanes >= Vectors * W; lanes -= Vectors * W) {
    multiply_rows<Vectors>(p, rows, depth, chain);
    p.b += Vectors * W;
    p.c += Vectors * W;
  }
  if constexpr (Vectors * W > lane_group) multiply_lanes<Vectors - 1>(p, rows, lanes, depth, chain);
}

/** Part of a chain, or all of it: at most chain_chunk terms. */
static void multiply(const Product& p, int64_t rows, int64_t lanes, int64_t depth, Chain chain) {
  multiply_lanes(p, rows, lanes, depth, chain);
}

/** By the GEMM rule over all of k. */
static void multiply_all(Product p, int64_t rows, int64_t lanes, int64_t depth) {
  for (int64_t k = 0; k < depth; k += chain_chunk) {
    multiply(p, rows, lanes, least(depth - k, chain_chunk), k == 0 ? Chain::start : Chain::add_next);
    p.a += chain_chunk * p.a_step;
    p.b += chain_chunk * p.b_pitch;
  }
}

/** to[column][row] = from[row][column], 0 for rows from `rows` to a multiple of lane_group. */
static void transpose_to_lanes(const float* from, int64_t from_pitch, int64_t rows, int64_t columns, float* to) {
  for (int64_t c = 0; c < columns; ++c) {
    for (int64_t r = 0; r < in_groups(rows); ++r) to[c * query_pitch + r] = r < rows ? from[r * from_pitch + c] : 0.0f;
  }
}

/** to[row][column] = from[column][row] */
static void transpose_from_lanes(const float* from, int64_t rows, int64_t columns, float* to, int64_t to_pitch) {
  for (int64_t c = 0; c < columns; ++c) {
    for (int64_t r = 0; r < rows; ++r) to[r * to_pitch + c] = from[c * query_pitch + r];
  }
}

/** Rows of channels, padded with zeros to a multiple of lane_group. */
static void copy_channels(const float* from, int64_t from_pitch, int64_t rows, int64_t columns, float* to,
                          int64_t to_pitch) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < in_groups(columns); ++c) to[r * to_pitch + c] = c < columns ? from[r * from_pitch + c] : 0.0f;
  }
}

/** body(l, outside) for the vectors of lanes of which some query sees the key: lanes l + outside .. l + W - 1 do.
 *  key: its position less that of the first query */
template <typename Body>
PANTHALIA_INLINE void for_seeing_lanes(int64_t key, int64_t lanes, Body body) {
  int64_t l = 0;
  if (key > 0) {
    l = key / W * W;
    body(l, key - l);
    l += W;
  }
  for (; l < lanes; l += W) body(l, int64_t{0});
}

/** Writes +0 to the vectors of lanes that for_seeing_lanes leaves out. */
PANTHALIA_INLINE void clear_blind_lanes(float* row, int64_t key, int64_t lanes) {
  for (int64_t l = 0; l + W <= least(key, lanes); l += W) store(row + l, zero());
}

/** One head of one batch row. */
struct Head {
  int64_t time, width;
  int64_t batch_row, channel;  // the head's first position and channel
  int64_t columns;             // C
  float sigma;

  Head(const auto& call, int64_t index)
      : time(call.time),
        width(call.head_width),
        batch_row(index / call.heads * call.time),
        channel(index % call.heads * call.head_width),
        columns(call.heads * call.head_width),
        sigma(1.0f / __builtin_sqrtf(static_cast<float>(call.head_width))) {}

  /** Floats to position i in a matrix (N, C); in one (N, 3C) part is 0 for q, 1 for k, 2 for v. */
  int64_t at(int64_t i) const { return (batch_row + i) * columns + channel; }
  int64_t at(int64_t i, int part) const { return (batch_row + i) * 3 * columns + part * columns + channel; }
};

/** Scratch in the order it is asked for. */
class Scratch {
 public:
  explicit Scratch(float* at) : at_(at) {}
  float* take(int64_t rows, int64_t pitch) {
    float* const taken = at_;
    at_ += in_groups(rows * pitch);
    return taken;
  }

 private:
  float* at_;
};

/** A tile's chunk is complete where the GEMM rule splits after it, and at the end. */
PANTHALIA_INLINE bool ends_chunk(int64_t end, int64_t last) { return end % chain_chunk == 0 || end == last; }

}  // namespace panthalia::canon::PANTHALIA_ISA
