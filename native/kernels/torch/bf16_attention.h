// Causal attention, both directions, as canon-f32-v1 lays it out, with its products over pairs of bf16: q, k, v and gradients over
// pairs of channels, probabilities and their gradients over pairs of keys or of queries. Softmax is fp32.
#pragma once

#include "kernels/canon/attention.h"
#include "kernels/canon/attention_backward.h"
#include "kernels/torch/bf16_pairs.h"

namespace panthalia::canon::bf16 {

/** Words from one key's queries to the next one's, two queries a word. */
constexpr int64_t pair_pitch = query_block / 2 + lane_group;

static int64_t pair_attention_scratch(int64_t time, int64_t head_width) {
  const int64_t keys = (time + query_block - 1) / query_block * query_block, D = in_groups(head_width);
  const int64_t forward = keys * D + keys / 2 * channel_pitch(head_width) + query_block * (D + channel_pitch(head_width)) +
                          (D + keys + query_block + row_lanes + 2) * query_pitch;
  const int64_t backward = 4 * keys * D + keys / 2 * channel_pitch(head_width) + query_block * D +
                           (2 * D + 3 * query_block + 1) * query_pitch +
                           query_block * (2 * channel_pitch(head_width) + 2 * pair_pitch);
  return (forward > backward ? forward : backward) + 32 * lane_group;
}

/** 2^x for x <= 0, good to 3e-6: of degree 4 between halves. NaN stays NaN. */
PANTHALIA_INLINE Floats power_of_two_of(Floats x) {
  const Floats n = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC), f = sub(x, n);
  Floats p = fma(broadcast(9.570102207e-03f), f, broadcast(5.591785908e-02f));
  p = fma(fma(fma(p, f, broadcast(2.402474433e-01f)), f, broadcast(6.931217909e-01f)), f, broadcast(9.999992847e-01f));
  return _mm512_scalef_ps(p, n);
}
/** Scores are in powers of two: what the softmax saves is of them. */
PANTHALIA_INLINE float pair_sigma(const Head& head) { return head.sigma * 1.442695041f; }

/** Rows of channels to rows of lanes, two channels a word.  row_words: scratch, (rows, pairs_of(D)) */
static void pair_lanes(const Bf16* from, int64_t pitch, int64_t rows, int64_t lanes, int64_t D, float* row_words, float* to) {
  const int64_t pairs = pairs_of(D);
  pair_columns(from, pitch, rows, D, row_words, pairs);
  transpose(row_words, pairs, rows, pairs, to, query_pitch);
  clear_columns(to, query_pitch, pairs, rows, lanes);
}

/** Pairs of rows, with zeros up to a whole group of channels. */
static void pair_channels(const Bf16* from, int64_t from_pitch, int64_t rows, int64_t D, float* to, int64_t pitch) {
  pair_rows(from, from_pitch, rows, D, to, pitch);
  clear_columns(to, pitch, pairs_of(rows), D, in_groups(D));
}

/** Over channels: keys by queries. On the diagonal only what some query of a group sees. */
static void multiply_channel_pairs(const Product& product, int64_t keys, int64_t queries, int64_t pairs, bool diagonal) {
  const int64_t group = diagonal ? diagonal_lanes : queries;
  for (int64_t l = 0; l < queries; l += group) {
    multiply<PairStep>(product.from_lane(l), diagonal ? least(keys, l + group) : keys, least(queries - l, group), pairs,
                       Chain::start);
  }
}

/** Over keys: queries by channels. On the diagonal without the keys that no query of a block sees. */
static void multiply_key_pairs(const Product& product, int64_t queries, int64_t channels, int64_t keys, Chain chain,
                               bool diagonal) {
  if (!diagonal) return multiply<PairStep>(product, queries, channels, pairs_of(keys), chain);
  for (int64_t i = 0; i < queries; i += block_rows) {
    multiply<PairStep>(product.from_row(i), least(queries - i, block_rows), channels, pairs_of(least(keys, i + block_rows)),
                       chain);
  }
}

/** Over queries: keys by channels. On the diagonal without the queries that see none of a block of keys. */
static void multiply_query_pairs(const Product& product, int64_t keys, int64_t channels, int64_t queries, Chain chain,
                                 bool diagonal) {
  static_assert(block_rows % 2 == 0, "a block begins between two pairs");
  const int64_t pairs = pairs_of(queries);
  if (!diagonal) return multiply<PairStep>(product, keys, channels, pairs, chain);
  for (int64_t j = 0; j < keys; j += block_rows) {
    multiply<PairStep>(product.from_row(j).from_step(j / 2), least(keys - j, block_rows), channels, pairs - j / 2, chain);
  }
}

static float sum_of_products(const Bf16* a, const Bf16* b, int64_t n) {
  Floats sum = zero();
  for_row(n, [&](At at) { sum = fma(widened_at(a, at), widened_at(b, at), sum); });
  return fold(sum);
}

/** o of 64 queries of a head.  k (positions, pairs of channels), v (pairs of positions, channels) */
static void pair_attention_block(const AttentionCall& call, const Head& head, const float* k, const float* v, int64_t first,
                                 float* saved, Scratch scratch) {
  const int64_t D = head.width, T = head.time, rows = least(T - first, query_block), lanes = in_groups(rows);
  const int64_t end = first + rows, pairs = pairs_of(D), channels = in_groups(D), pitch = channel_pitch(D);
  float* const q_rows = scratch.take(query_block, pairs);
  float* const q = scratch.take(pairs, query_pitch);
  float* const out = scratch.take(query_block, pitch);
  float* const scores = scratch.take(end, query_pitch);
  float* const words = scratch.take(query_block / 2, query_pitch);
  float* const sums = scratch.take(row_lanes, query_pitch);
  float* const greatest = scratch.take(1, query_pitch);
  float* const weights = scratch.take(1, query_pitch);

  pair_lanes(bf16s(call.qkv) + head.at(first, 0), 3 * head.columns, rows, lanes, D, q_rows, q);
  for (int64_t l = 0; l < lanes; l += W) store(greatest + l, broadcast(-__builtin_inff()));
  for (int64_t j = 0; j < end; j += query_block) {
    const int64_t keys = least(end - j, query_block);
    float* const s = scores + j * query_pitch;
    multiply_channel_pairs({k + j * pairs, pairs, 1, q, query_pitch, s, query_pitch}, keys, lanes, pairs, j == first);
    scale_scores(s, keys, lanes, j - first, pair_sigma(head), greatest);
  }
  softmax<power_of_two_of>(scores, end, lanes, first, greatest, sums, weights);
  for (int64_t j = 0; j < end; j += query_block) {
    const int64_t keys = least(end - j, query_block);
    float* const e = scores + j * query_pitch;
    const bool diagonal = j == first;
    if (diagonal) {
      for (int64_t key = 0; key < keys; ++key) clear_blind_lanes(e + key * query_pitch, key, lanes);
    }
    pair_rows(e, query_pitch, keys, lanes, words, query_pitch);
    multiply_key_pairs({words, 1, query_pitch, v + j / 2 * pitch, pitch, out, pitch}, rows, channels, keys,
                       j == 0 ? Chain::start : Chain::go_on, diagonal);
  }
  for (int64_t i = 0; i < rows; ++i) {
    const Floats weight = broadcast(weights[i]);
    Bf16* const to = bf16s(call.out) + head.at(first + i);
    for_row(D, [&](At at) { store_at(to, rounded(mul(load_at(out + i * pitch, at), weight)), at); });
    saved[first + i] = greatest[i];
    saved[T + first + i] = weights[i];
  }
}

static void pair_attention(const AttentionCall& call, float* memory, int64_t begin, int64_t end) {
  const int64_t blocks = (call.time + query_block - 1) / query_block, index = begin / blocks;
  const Head head(call, index);
  const int64_t first = (begin - index * blocks) * query_block, last = least((end - index * blocks) * query_block, head.time);
  const int64_t D = head.width, pairs = pairs_of(D), stride = 3 * head.columns, pitch = channel_pitch(D);
  Scratch scratch(memory);
  float* const k = scratch.take(last, pairs);
  float* const v = scratch.take(pairs_of(last), pitch);
  pair_columns(bf16s(call.qkv) + head.at(0, 1), stride, last, D, k, pairs);
  pair_channels(bf16s(call.qkv) + head.at(0, 2), stride, last, D, v, pitch);
  for (int64_t i = first; i < last; i += query_block) {
    pair_attention_block(call, head, k, v, i, call.saved + 2 * index * head.time, scratch);
  }
}

/** All of one head. */
static void pair_attention_backward_head(const AttentionBackwardCall& call, const Head& head, const float* saved,
                                         float* memory) {
  const int64_t D = head.width, T = head.time, stride = 3 * head.columns, pairs = pairs_of(D);
  const int64_t pitch = channel_pitch(D), channels = in_groups(D);
  const Bf16* const qkv = bf16s(call.qkv);
  Bf16* const d_qkv = bf16s(call.d_qkv);
  Scratch scratch(memory);
  float* const k = scratch.take(T, pairs);
  float* const v = scratch.take(T, pairs);
  float* const k_keys = scratch.take(pairs_of(T), pitch);
  float* const d_k = scratch.take(T, channels);
  float* const d_v = scratch.take(T, channels);
  float* const row_words = scratch.take(query_block, pairs);
  float* const q_lanes = scratch.take(pairs, query_pitch);
  float* const d_out_lanes = scratch.take(pairs, query_pitch);
  float* const d_q = scratch.take(query_block, pitch);
  float* const p = scratch.take(query_block, query_pitch);
  float* const d_s = scratch.take(query_block, query_pitch);
  float* const d_s_keys = scratch.take(query_block / 2, query_pitch);
  float* const q = scratch.take(query_block / 2, pitch);
  float* const d_out = scratch.take(query_block / 2, pitch);
  float* const p_queries = scratch.take(query_block, pair_pitch);
  float* const d_s_queries = scratch.take(query_block, pair_pitch);

  pair_columns(qkv + head.at(0, 1), stride, T, D, k, pairs);
  pair_columns(qkv + head.at(0, 2), stride, T, D, v, pairs);
  pair_channels(qkv + head.at(0, 1), stride, T, D, k_keys, pitch);

  for (int64_t first = 0; first < T; first += query_block) {
    const int64_t rows = least(T - first, query_block), lanes = in_groups(rows), end = first + rows;
    const Bf16* const q_from = qkv + head.at(first, 0);
    const Bf16* const d_out_from = bf16s(call.d_out) + head.at(first);
    const Bf16* const out_from = bf16s(call.out) + head.at(first);
    const SavedRows of_rows(saved, first, rows, T, [&](int64_t i) {
      return sum_of_products(d_out_from + i * head.columns, out_from + i * head.columns, D);
    });
    pair_lanes(q_from, stride, rows, lanes, D, row_words, q_lanes);
    pair_lanes(d_out_from, head.columns, rows, lanes, D, row_words, d_out_lanes);
    pair_channels(q_from, stride, rows, D, q, pitch);
    pair_channels(d_out_from, head.columns, rows, D, d_out, pitch);
    for (int64_t j = 0; j < end; j += query_block) {
      const int64_t keys = least(end - j, query_block);
      const bool diagonal = j == first;
      multiply_channel_pairs({k + j * pairs, pairs, 1, q_lanes, query_pitch, p, query_pitch}, keys, lanes, pairs, diagonal);
      probabilities<power_of_two_of>(p, keys, lanes, j - first, pair_sigma(head), of_rows.greatest, of_rows.weights);
      multiply_channel_pairs({v + j * pairs, pairs, 1, d_out_lanes, query_pitch, d_s, query_pitch}, keys, lanes, pairs,
                             diagonal);
      score_gradients(d_s, p, keys, lanes, j - first, head.sigma, of_rows.corrections);

      pair_rows(d_s, query_pitch, keys, lanes, d_s_keys, query_pitch);
      multiply_key_pairs({d_s_keys, 1, query_pitch, k_keys + j / 2 * pitch, pitch, d_q, pitch}, rows, channels, keys,
                         j == 0 ? Chain::start : Chain::go_on, diagonal);
      // The first queries that see a key are those of its own block.
      const Chain chain = diagonal ? Chain::start : Chain::go_on;
      pair_columns(d_s, query_pitch, keys, lanes, d_s_queries, pair_pitch);
      pair_columns(p, query_pitch, keys, lanes, p_queries, pair_pitch);
      multiply_query_pairs({d_s_queries, pair_pitch, 1, q, pitch, d_k + j * channels, channels}, keys, channels, rows, chain,
                           diagonal);
      multiply_query_pairs({p_queries, pair_pitch, 1, d_out, pitch, d_v + j * channels, channels}, keys, channels, rows,
                           chain, diagonal);
    }
    for (int64_t i = 0; i < rows; ++i) round_row(d_q + i * pitch, D, d_qkv + head.at(first + i, 0));
  }
  for (int64_t j = 0; j < T; ++j) {
    round_row(d_k + j * channels, D, d_qkv + head.at(j, 1));
    round_row(d_v + j * channels, D, d_qkv + head.at(j, 2));
  }
}

static void pair_attention_backward(const AttentionBackwardCall& call, float* scratch, int64_t begin, int64_t end) {
  for (int64_t head = begin; head < end; ++head) {
    pair_attention_backward_head(call, Head(call, head), call.saved + 2 * head * call.time, scratch);
  }
}

}  // namespace panthalia::canon::bf16
