// The row and column rules: section 2 of docs/opset-canon-f32-v1.md.
#pragma once

#include "kernels/canon/math.h"

namespace panthalia::canon::PANTHALIA_ISA {

constexpr int64_t row_lanes = 32;
constexpr int64_t lane_vectors = row_lanes / W;

/** Elements i .. i + count - 1 of a row, count <= W. Inlined where count is W, the tests on it fold away. */
struct At {
  int64_t i;
  int64_t count;
};

PANTHALIA_INLINE Floats load_at(const float* p, At at) {
  return at.count == W ? load(p + at.i) : load_first(p + at.i, at.count);
}
PANTHALIA_INLINE void store_at(float* p, Floats x, At at) {
  if (at.count == W) {
    store(p + at.i, x);
  } else {
    store_first(p + at.i, x, at.count);
  }
}

/** body(At) over a row of n elements. */
template <typename Body>
PANTHALIA_INLINE void for_row(int64_t n, Body body) {
  int64_t i = 0;
  for (; i + W <= n; i += W) body(At{i, W});
  if (i < n) body(At{i, n - i});
}

/** body(l) for each vector of the 32 lanes; where they are few l is a constant, so that they stay in registers. */
template <int64_t First = 0, typename Body>
PANTHALIA_INLINE void for_lane_vectors(Body body) {
  if constexpr (lane_vectors > 4) {
    for (int64_t l = 0; l < lane_vectors; ++l) body(l);
  } else if constexpr (First < lane_vectors) {
    body(First);
    for_lane_vectors<First + 1>(body);
  }
}

using Lanes = Floats[lane_vectors];

/** The tree over the lanes, s = 16, 8, 4, 2, 1. */
PANTHALIA_INLINE float lane_tree(Lanes& lanes) {
  for (int64_t s = lane_vectors / 2; s >= 1; s /= 2) {
    for (int64_t l = 0; l < s; ++l) lanes[l] = add(lanes[l], lanes[l + s]);
  }
  return fold(lanes[0]);
}

/** step(At, lane) adds the elements At to lane(s), a vector of sum s. Lanes beyond the row keep what they have. */
template <int Sums, typename Step>
PANTHALIA_INLINE void row_rule(int64_t n, float (&sums)[Sums], Step step) {
  Lanes lanes[Sums];
  for_lane_vectors([&](int64_t l) PANTHALIA_INLINED {
    for (int s = 0; s < Sums; ++s) lanes[s][l] = zero();
  });
  int64_t i = 0;
  for (; i + row_lanes <= n; i += row_lanes) {
    for_lane_vectors([&](int64_t l) PANTHALIA_INLINED {
      step(At{i + l * W, W}, [&](int s) PANTHALIA_INLINED -> Floats& { return lanes[s][l]; });
    });
  }
  for_lane_vectors([&](int64_t l) PANTHALIA_INLINED {
    const int64_t left = n - i - l * W, count = left < W ? left : W;
    if (left <= 0) return;
    Floats kept[Sums];
    for (int s = 0; s < Sums; ++s) kept[s] = lanes[s][l];
    step(At{i + l * W, count}, [&](int s) PANTHALIA_INLINED -> Floats& { return lanes[s][l]; });
    for (int s = 0; s < Sums; ++s) lanes[s][l] = select(first_lanes(count), lanes[s][l], kept[s]);
  });
  for (int s = 0; s < Sums; ++s) sums[s] = lane_tree(lanes[s]);
}

PANTHALIA_INLINE float row_sum(const float* x, int64_t n) {
  float sum[1];
  row_rule(n, sum, [&](At at, auto lane) { lane(0) = add(lane(0), load_at(x, at)); });
  return sum[0];
}

PANTHALIA_INLINE float row_sum_of_products(const float* a, const float* b, int64_t n) {
  float sum[1];
  row_rule(n, sum, [&](At at, auto lane) { lane(0) = fma(load_at(a, at), load_at(b, at), lane(0)); });
  return sum[0];
}

/** A greatest element; n >= 1. */
PANTHALIA_INLINE float greatest(const float* x, int64_t n) {
  Floats best = broadcast(x[0]);
  for_row(n, [&](At at) { best = select(first_lanes(at.count), greater(load_at(x, at), best), best); });
  float lanes[W];
  store(lanes, best);
  float most = lanes[0];
  for (int64_t l = 1; l < W; ++l) most = lanes[l] > most ? lanes[l] : most;
  return most;
}

static float row_sum_kernel(const float* x, int64_t n) { return row_sum(x, n); }
static float square_sum_kernel(const float* x, int64_t n) { return row_sum_of_products(x, x, n); }

/** The chunks' partial sums of columns [begin, end), ascending.  partials (chunks, columns), total (columns) */
static void column_total_kernel(const float* partials, int64_t chunks, int64_t columns, float* total, int64_t begin,
                                int64_t end) {
  for_row(end - begin, [&](At at) {
    at.i += begin;
    Floats sum = load_at(partials, at);
    for (int64_t chunk = 1; chunk < chunks; ++chunk) sum = add(sum, load_at(partials + chunk * columns, at));
    store_at(total, sum, at);
  });
}

static void accumulate_kernel(const float* addend, float* total, int64_t n) {
  for_row(n, [&](At at) { store_at(total, add(load_at(total, at), load_at(addend, at)), at); });
}

/** NaN and Inf have the largest magnitudes as integers. */
PANTHALIA_INLINE Ints magnitude_bits(Floats x) { return and_int(bits(x), broadcast_int(0x7fffffff)); }

PANTHALIA_INLINE bool are_finite(Ints largest_magnitudes) {
  int32_t lanes[W];
  __builtin_memcpy(lanes, &largest_magnitudes, sizeof(lanes));
  bool finite = true;
  for (int64_t l = 0; l < W; ++l) finite = finite && lanes[l] < 0x7f800000;
  return finite;
}

static bool all_finite_kernel(const float* x, int64_t n) {
  Ints largest = broadcast_int(0);
  for_row(n, [&](At at) { largest = greater_int(largest, magnitude_bits(load_at(x, at))); });
  return are_finite(largest);
}

}  // namespace panthalia::canon::PANTHALIA_ISA
