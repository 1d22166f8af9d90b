// What both directions of attention share: the lanes of a tile are queries, so that the softmax of a row needs no sums across
// lanes, or channels; either way they are padded to a multiple of lane_group.
#pragma once

#include "kernels/canon/attention_product.h"
#include "kernels/canon/kernels.h"

namespace panthalia::canon::PANTHALIA_ISA {

/** Floats between rows of lanes: an odd number of cache lines, so that the rows of a tile do not compete for cache sets. */
constexpr int64_t query_pitch = query_block + lane_group;
PANTHALIA_INLINE int64_t channel_pitch(int64_t head_width) { return (in_groups(head_width) / lane_group | 1) * lane_group; }

/** What takes a score, less the greatest, to what the softmax adds. */
using Exponential = Floats (*)(Floats);

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

/** x, but `blind` in the lanes that for_seeing_lanes calls outside. */
PANTHALIA_INLINE Floats where_seen(int64_t outside, Floats x, Floats blind) {
  return outside == 0 ? x : select(first_lanes(outside), blind, x);
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

/** The first positions of k (part 1) or v (part 2) of a head, together: (positions, D). In qkv they lie so far apart that every
 *  tile would wait for them again. */
PANTHALIA_INLINE const float* pack_part(const float* qkv, const Head& head, int part, int64_t positions, Scratch& scratch) {
  float* const packed = scratch.take(positions, head.width);
  pack(qkv + head.at(0, part), 3 * head.columns, positions, head.width, packed, head.width);
  return packed;
}

/** A tile's chunk is complete where the GEMM rule splits after it, and at the end. */
PANTHALIA_INLINE bool ends_chunk(int64_t end, int64_t last) { return end % chain_chunk == 0 || end == last; }

}  // namespace panthalia::canon::PANTHALIA_ISA
