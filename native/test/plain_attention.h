// Attention of docs/opset-canon-f32-v1.md, section 4, as loops that follow its sentences; for CUDA, where nothing may be taken from the
// kernels of the CPU. exp comes from the caller. Legend: engine/operators.h.
#pragma once

#include "engine/operators.h"
#include "test/plain_operators.h"

namespace panthalia::canon::plain {

/** gemm(k in a .. b-1; u(k), v(k)) with absolute k. */
template <typename U, typename V>
float gemm(int64_t a, int64_t b, U u, V v) {
  float sum = 0;
  for (int64_t k = a; k < b;) {
    const int64_t begin = k, end = std::min(b, k / 1024 * 1024 + 1024);
    float chain = 0;
    for (; k < end; ++k) chain = std::fma(u(k), v(k), chain);
    sum = begin == a ? chain : sum + chain;
  }
  return sum;
}

struct Attention {
  Row out;    // (N, C)
  Row d_qkv;  // (N, 3C)
};

inline Attention attention(const Row& qkv, const Row& d_out, AttentionShape shape, const Unary& exp) {
  const int64_t T = shape.time, h = shape.heads, D = shape.head_width, C = h * D;
  Attention result{Row(d_out.size()), Row(qkv.size())};
  const float sigma = 1.0f / std::sqrt(static_cast<float>(D));
  Row p(T * T), ds(T * T);
  for (int64_t head = 0; head < shape.batch * h; ++head) {
    const int64_t b = head / h, a = head % h;
    auto wide = [&](int64_t i, int64_t part, int64_t d) { return (b * T + i) * 3 * C + part * C + a * D + d; };
    auto narrow = [&](int64_t i, int64_t d) { return (b * T + i) * C + a * D + d; };
    auto seen = [&](int64_t i) { return std::min(T, 64 * (i / 64) + 64); };  // J(i)
    for (int64_t i = 0; i < T; ++i) {
      float* const row = &p[i * T];
      for (int64_t j = 0; j <= i; ++j) {
        row[j] = gemm(0, D, [&](int64_t d) { return qkv[wide(i, 0, d)]; }, [&](int64_t d) { return qkv[wide(j, 1, d)]; }) *
                 sigma;
      }
      const float m = *std::max_element(row, row + i + 1);
      for (int64_t j = 0; j <= i; ++j) row[j] = exp(row[j] - m);
      const float w = 1.0f / row_sum(row, i + 1);
      for (int64_t j = 0; j < T; ++j) row[j] = j <= i ? row[j] * w : 0.0f;
      for (int64_t d = 0; d < D; ++d) {
        result.out[narrow(i, d)] =
            gemm(0, seen(i), [&](int64_t j) { return row[j]; }, [&](int64_t j) { return qkv[wide(j, 2, d)]; });
      }
      const float t = row_rule(
          D, [&](float lane, int64_t d) { return std::fma(d_out[narrow(i, d)], result.out[narrow(i, d)], lane); });
      for (int64_t j = 0; j < T; ++j) {
        const float dp = gemm(0, D, [&](int64_t d) { return d_out[narrow(i, d)]; },
                              [&](int64_t d) { return qkv[wide(j, 2, d)]; });
        ds[i * T + j] = j <= i ? (row[j] * (dp - t)) * sigma : 0.0f;
      }
      for (int64_t d = 0; d < D; ++d) {
        result.d_qkv[wide(i, 0, d)] = gemm(0, seen(i), [&](int64_t j) { return ds[i * T + j]; },
                                           [&](int64_t j) { return qkv[wide(j, 1, d)]; });
      }
    }
    for (int64_t j = 0; j < T; ++j) {
      for (int64_t d = 0; d < D; ++d) {
        result.d_qkv[wide(j, 1, d)] = gemm(64 * (j / 64), T, [&](int64_t i) { return ds[i * T + j]; },
                                           [&](int64_t i) { return qkv[wide(i, 0, d)]; });
        result.d_qkv[wide(j, 2, d)] = gemm(64 * (j / 64), T, [&](int64_t i) { return p[i * T + j]; },
                                           [&](int64_t i) { return d_out[narrow(i, d)]; });
      }
    }
  }
  return result;
}

}  // namespace panthalia::canon::plain
