// The operators of docs/opset-canon-f32-v1.md, sections 2, 4 and 5, as loops that follow its sentences. Elementary
// functions come from the caller: they have tests of their own. Legend: engine/operators.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "engine/adamw.h"

namespace panthalia::canon::plain {

using Row = std::vector<float>;
using Unary = std::function<float(float)>;

/** step(lane, i) gives the lane with element i added. */
inline float row_rule(int64_t n, const std::function<float(float, int64_t)>& step) {
  float lanes[32] = {};
  for (int64_t i = 0; i < n; ++i) lanes[i % 32] = step(lanes[i % 32], i);
  for (int s = 16; s >= 1; s /= 2) {
    for (int l = 0; l < s; ++l) lanes[l] = lanes[l] + lanes[l + s];
  }
  return lanes[0];
}

inline float row_sum(const float* x, int64_t n) {
  return row_rule(n, [&](float lane, int64_t i) { return lane + x[i]; });
}

/** step(sum, r) gives the sum with row r added. */
inline float column_rule(int64_t rows, const std::function<float(float, int64_t)>& step) {
  float total = 0;
  for (int64_t from = 0; from < rows; from += 64) {
    float partial = 0;
    for (int64_t r = from; r < std::min(rows, from + 64); ++r) partial = step(partial, r);
    total = from == 0 ? partial : total + partial;
  }
  return total;
}

inline float square_sum(const Row& g) {
  float total = 0;
  for (size_t from = 0; from < g.size(); from += 4096) {
    const float* chunk = g.data() + from;
    const int64_t n = std::min<int64_t>(4096, g.size() - from);
    const float partial = row_rule(n, [&](float lane, int64_t i) { return std::fma(chunk[i], chunk[i], lane); });
    total = from == 0 ? partial : total + partial;
  }
  return total;
}

/** gemm(k in 0 .. count - 1; u(k), v(k)) */
inline float gemm(int64_t count, const std::function<float(int64_t)>& u, const std::function<float(int64_t)>& v) {
  float value = 0;
  for (int64_t from = 0; from < count; from += 1024) {
    float chain = 0;
    for (int64_t k = from; k < std::min(count, from + 1024); ++k) chain = std::fma(u(k), v(k), chain);
    value = from == 0 ? chain : value + chain;
  }
  return value;
}

struct Norm {
  Row out;
  float mean;
  float reciprocal_deviation;
};

inline Norm layer_norm(const float* x, const Row& gain) {
  const int64_t C = gain.size();
  const float mean = row_sum(x, C) / static_cast<float>(C);
  const float squares = row_rule(C, [&](float lane, int64_t c) { return std::fma(x[c] - mean, x[c] - mean, lane); });
  const float variance = squares / static_cast<float>(C);
  const float r = 1.0f / std::sqrt(variance + 1e-5f);
  Norm norm{Row(C), mean, r};
  for (int64_t c = 0; c < C; ++c) norm.out[c] = ((x[c] - mean) * r) * gain[c];
  return norm;
}

/** What is added to the stream's gradient. */
inline Row layer_norm_backward(const float* d_out, const float* x, const Row& gain, float mean, float r) {
  const int64_t C = gain.size();
  Row g(C), xhat(C), d_x(C);
  for (int64_t c = 0; c < C; ++c) {
    g[c] = d_out[c] * gain[c];
    xhat[c] = (x[c] - mean) * r;
  }
  const float products = row_rule(C, [&](float lane, int64_t c) { return std::fma(g[c], xhat[c], lane); });
  const float a = row_sum(g.data(), C) / static_cast<float>(C), b = products / static_cast<float>(C);
  for (int64_t c = 0; c < C; ++c) d_x[c] = r * std::fma(-xhat[c], b, g[c] - a);
  return d_x;
}

inline float gelu_erf(float x, const Unary& erf) {
  const float e = erf(x * 0x1.6a09e6p-1f), half = 0.5f * x;
  return std::fma(half, e, half);
}

inline float gelu_tanh(float x, const Unary& tanh) {
  const float x2 = x * x, t = tanh((0x1.988454p-1f * x) * std::fma(0x1.6e4e26p-5f, x2, 1.0f)), half = 0.5f * x;
  return std::fma(half, t, half);
}

inline float gelu_erf_backward(float d_out, float x, const Unary& erf, const Unary& exp) {
  const float cdf = std::fma(0.5f, erf(x * 0x1.6a09e6p-1f), 0.5f), density = exp((x * -0.5f) * x);
  return d_out * std::fma(x * 0x1.988454p-2f, density, cdf);
}

inline float gelu_tanh_backward(float d_out, float x, const Unary& tanh) {
  const float x2 = x * x, t = tanh((0x1.988454p-1f * x) * std::fma(0x1.6e4e26p-5f, x2, 1.0f)), half = 0.5f * x;
  const float inner_slope = 0x1.988454p-1f * std::fma(0x1.12ba9ep-3f, x2, 1.0f);
  return d_out * std::fma(half * std::fma(-t, t, 1.0f), inner_slope, std::fma(0.5f, t, 0.5f));
}

struct Loss {
  Row exponentials;
  float sum;
  float loss;
};

inline Loss cross_entropy(const float* z, int64_t V, int64_t target, const Unary& exp, const Unary& log) {
  const float m = *std::max_element(z, z + V);
  Loss result{Row(V), 0, 0};
  for (int64_t v = 0; v < V; ++v) result.exponentials[v] = exp(z[v] - m);
  result.sum = row_sum(result.exponentials.data(), V);
  result.loss = (log(result.sum) + m) - z[target];
  return result;
}

inline Row cross_entropy_backward(const Loss& loss, int64_t target, float share) {
  const float w = share / loss.sum;
  Row d(loss.exponentials.size());
  for (size_t v = 0; v < d.size(); ++v) d[v] = loss.exponentials[v] * w;
  d[target] = std::fma(loss.exponentials[target], w, -share);
  return d;
}

inline void adamw(float& theta, float& m, float& v, float gradient, const InnerConstants& inner,
                  const StepScalars& scalars, float decay, float scale) {
  const float g = gradient * scale, p = theta * decay;
  m = std::fma(inner.beta1, m, inner.one_minus_beta1 * g);
  v = std::fma(inner.beta2, v, (inner.one_minus_beta2 * g) * g);
  theta = std::fma(-scalars.step_size, m / (std::sqrt(v) * scalars.second_moment_scale + inner.epsilon), p);
}

}  // namespace panthalia::canon::plain
