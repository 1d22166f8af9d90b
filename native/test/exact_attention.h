// Causal softmax attention and its gradients in binary64, as mathematics has them. Legend: engine/operators.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/operators.h"

namespace panthalia::canon::plain {

struct ExactAttention {
  std::vector<double> out;    // (N, C)
  std::vector<double> d_qkv;  // (N, 3C)
};

inline ExactAttention exact_attention(const std::vector<float>& qkv, const std::vector<float>& d_out,
                                      AttentionShape shape) {
  const int64_t T = shape.time, h = shape.heads, D = shape.head_width, C = h * D;
  ExactAttention result{std::vector<double>(d_out.size()), std::vector<double>(qkv.size())};
  const double sigma = 1 / std::sqrt(static_cast<double>(D));
  for (int64_t head = 0; head < shape.batch * h; ++head) {
    const int64_t b = head / h, a = head % h;
    auto wide = [&](int64_t i, int64_t part, int64_t d) { return (b * T + i) * 3 * C + part * C + a * D + d; };
    auto narrow = [&](int64_t i, int64_t d) { return (b * T + i) * C + a * D + d; };
    auto x = [&](int64_t i, int64_t part, int64_t d) { return static_cast<double>(qkv[wide(i, part, d)]); };
    for (int64_t i = 0; i < T; ++i) {
      std::vector<double> p(i + 1), dp(i + 1);
      for (int64_t j = 0; j <= i; ++j) {
        for (int64_t d = 0; d < D; ++d) {
          p[j] += x(i, 0, d) * x(j, 1, d) * sigma;
          dp[j] += d_out[narrow(i, d)] * x(j, 2, d);
        }
      }
      const double m = *std::max_element(p.begin(), p.end());
      double sum = 0, mean = 0;
      for (double& each : p) sum += each = std::exp(each - m);
      for (int64_t j = 0; j <= i; ++j) mean += (p[j] /= sum) * dp[j];
      for (int64_t j = 0; j <= i; ++j) {
        const double ds = p[j] * (dp[j] - mean) * sigma;
        for (int64_t d = 0; d < D; ++d) {
          result.out[narrow(i, d)] += p[j] * x(j, 2, d);
          result.d_qkv[wide(i, 0, d)] += ds * x(j, 1, d);
          result.d_qkv[wide(j, 1, d)] += ds * x(i, 0, d);
          result.d_qkv[wide(j, 2, d)] += p[j] * d_out[narrow(i, d)];
        }
      }
    }
  }
  return result;
}

}  // namespace panthalia::canon::plain
