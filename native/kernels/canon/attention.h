// Causal attention, forward. Scores lie in memory as s[j][i]: lanes are the 64 queries of a block.
#pragma once

#include "kernels/canon/attention_tile.h"

namespace panthalia::canon::PANTHALIA_ISA {

/** Floats of scratch: what either direction takes. */
static int64_t attention_scratch(int64_t time, int64_t head_width) {
  const int64_t keys = (time + query_block - 1) / query_block * query_block;
  const int64_t forward = (3 * head_width + keys + row_lanes + 2) * query_pitch;
  const int64_t backward = (4 * head_width + 2 * query_block + 1) * query_pitch +
                           2 * query_block * channel_pitch(head_width) + 2 * keys * in_groups(head_width);
  return 2 * keys * head_width + (forward > backward ? forward : backward) + 16 * lane_group;
}

/** s *= sigma, and greatest over the keys so far.  s (keys, lanes), from key position `first` less the first query's */
static void scale_scores(float* s, int64_t keys, int64_t lanes, int64_t first, float sigma, float* greatest) {
  for (int64_t j = 0; j < keys; ++j) {
    for_seeing_lanes(first + j, lanes, [&](int64_t l, int64_t outside) {
      float* const at = s + j * query_pitch + l;
      const Floats score = mul(load(at), broadcast(sigma)), best = load(greatest + l);
      store(at, score);
      store(greatest + l, where_seen(outside, greater(score, best), best));
    });
  }
}

/** s becomes e; returned in `weights` is 1 / rowsum(e).  s (keys, lanes), sums (32, lanes) */
template <Exponential power = exp>
static void softmax(float* s, int64_t keys, int64_t lanes, int64_t first_query, const float* greatest, float* sums,
                    float* weights) {
  for (int64_t i = 0; i < row_lanes * query_pitch; i += W) store(sums + i, zero());
  for (int64_t j = 0; j < keys; ++j) {
    float* const sum = sums + j % row_lanes * query_pitch;
    for_seeing_lanes(j - first_query, lanes, [&](int64_t l, int64_t outside) {
      float* const at = s + j * query_pitch + l;
      const Floats e = where_seen(outside, power(sub(load(at), load(greatest + l))), zero());
      store(at, e);
      store(sum + l, add(load(sum + l), e));  // +0 to what is not -0, where the key is not seen
    });
  }
  for (int64_t s = row_lanes / 2; s >= 1; s /= 2) {
    for (int64_t i = 0; i < s * query_pitch; i += W) store(sums + i, add(load(sums + i), load(sums + s * query_pitch + i)));
  }
  for (int64_t l = 0; l < lanes; l += W) store(weights + l, div(broadcast(1.0f), load(sums + l)));
}

/** e becomes p, +0 where the key is not seen. */
static void weigh(float* e, int64_t keys, int64_t lanes, int64_t first, const float* weights) {
  for (int64_t j = 0; j < keys; ++j) {
    float* const row = e + j * query_pitch;
    clear_blind_lanes(row, first + j, lanes);
    for_seeing_lanes(first + j, lanes, [&](int64_t l, int64_t outside) {
      const Floats p = mul(load(row + l), load(weights + l));
      store(row + l, where_seen(outside, p, zero()));
    });
  }
}

/** o of 64 queries of a head. */
static void attention_block(const AttentionCall& call, const Head& head, const float* k, const float* v, int64_t first,
                            float* saved, Scratch scratch) {
  const int64_t D = head.width, T = head.time, rows = least(T - first, query_block), lanes = in_groups(rows);
  const int64_t end = first + rows, stride = 3 * head.columns;
  float* const q = scratch.take(D, query_pitch);
  float* const chains = scratch.take(D, query_pitch);
  float* const out = scratch.take(D, query_pitch);
  float* const scores = scratch.take(end, query_pitch);
  float* const sums = scratch.take(row_lanes, query_pitch);
  float* const greatest = scratch.take(1, query_pitch);
  float* const weights = scratch.take(1, query_pitch);

  transpose(call.qkv + head.at(first, 0), stride, rows, D, q, query_pitch);
  clear_columns(q, query_pitch, D, rows, lanes);
  for (int64_t l = 0; l < lanes; l += W) store(greatest + l, broadcast(-__builtin_inff()));
  for (int64_t j = 0; j < end; j += query_block) {
    const int64_t keys = least(end - j, query_block);
    float* const s = scores + j * query_pitch;
    multiply_channels({k + j * D, D, 1, q, query_pitch, s, query_pitch}, keys, lanes, D, j == first);
    scale_scores(s, keys, lanes, j - first, head.sigma, greatest);
  }
  softmax(scores, end, lanes, first, greatest, sums, weights);
  bool continued = false;
  for (int64_t j = 0; j < end; j += query_block) {
    const int64_t keys = least(end - j, query_block);
    float* const p = scores + j * query_pitch;
    weigh(p, keys, lanes, j - first, weights);
    const bool diagonal = j == first;
    multiply_keys({v + j * D, 1, D, p, query_pitch, chains, query_pitch}, D, lanes, keys,
                  j % chain_chunk == 0 ? Chain::start : Chain::go_on, diagonal,
                  diagonal && rows_are_finite(v + j * D, D, keys, D));
    if (!ends_chunk(j + keys, end)) continue;
    for (int64_t i = 0; i < D * query_pitch; i += W) {
      store(out + i, continued ? add(load(out + i), load(chains + i)) : load(chains + i));
    }
    continued = true;
  }
  transpose(out, query_pitch, D, rows, call.out + head.at(first), head.columns);
  for (int64_t i = 0; i < rows; ++i) {
    saved[first + i] = greatest[i];
    saved[T + first + i] = weights[i];
  }
}

/** Blocks of 64 queries of one head; blocks are numbered through the heads. */
static void attention_kernel(const AttentionCall& call, float* memory, int64_t begin, int64_t end) {
  const int64_t blocks = (call.time + query_block - 1) / query_block, index = begin / blocks;
  const Head head(call, index);
  const int64_t first = (begin - index * blocks) * query_block, last = least((end - index * blocks) * query_block, head.time);
  Scratch scratch(memory);
  const float* const k = pack_part(call.qkv, head, 1, last, scratch);
  const float* const v = pack_part(call.qkv, head, 2, last, scratch);
  for (int64_t i = first; i < last; i += query_block) {
    attention_block(call, head, k, v, i, call.saved + 2 * index * head.time, scratch);
  }
}

}  // namespace panthalia::canon::PANTHALIA_ISA
