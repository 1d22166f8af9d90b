// The operators of one opset, forward and backward, over raw fp32 memory. The model (gpt.cc) is written against this and
// nothing else; `torch` implements it with at:: functions, `canon-f32-v1` with our own loops.
//
// Legend: B batch, T time, C channels, V vocabulary, N = B * T rows. Matrices are dense and row-major.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace panthalia {

struct Matrix {
  float* data;
  int64_t rows;
  int64_t cols;
};

struct ConstMatrix {
  const float* data;
  int64_t rows;
  int64_t cols;

  ConstMatrix(const float* data, int64_t rows, int64_t cols) : data(data), rows(rows), cols(cols) {}
  ConstMatrix(const Matrix& matrix) : data(matrix.data), rows(matrix.rows), cols(matrix.cols) {}
};

using Vector = std::span<float>;
using ConstVector = std::span<const float>;
using Tokens = std::span<const int64_t>;  // (N), values in [0, V)

/** Mean and 1 / sqrt(variance + epsilon) of each row, kept for the backward pass. */
struct NormStatistics {
  Vector mean;                // (N)
  Vector reciprocal_deviation;  // (N)
};

struct AttentionShape {
  int64_t batch;       // B
  int64_t time;        // T
  int64_t heads;       // h
  int64_t head_width;  // D, C = h * D
};

/** Thread-local settings of an opset, in force while the scope lives. */
class OperatorScope {
 public:
  virtual ~OperatorScope() = default;
};

class Operators {
 public:
  virtual ~Operators() = default;

  /** Every call below happens inside a scope entered on the same thread. */
  virtual std::unique_ptr<OperatorScope> enter() = 0;

  /** out[n] = token_table[tokens[n]] + position_table[n mod time]        out (N, C) */
  virtual void embedding(Tokens tokens, int64_t time, ConstMatrix token_table, ConstMatrix position_table,
                         Matrix out) = 0;
  /** token_gradient[tokens[n]] += d_out[n], n ascending; position_gradient = sum over the batch, rows from T on zero */
  virtual void embedding_backward(Tokens tokens, int64_t time, ConstMatrix d_out, Matrix token_gradient,
                                  Matrix position_gradient) = 0;

  /** out = (x - mean) / sqrt(variance + 1e-5) * gain, biased variance over each row        x, out (N, C) */
  virtual void layer_norm(ConstMatrix x, ConstVector gain, Matrix out, NormStatistics statistics) = 0;
  /** d_x += gradient through the norm; gain_gradient is written        d_out, d_x (N, C) */
  virtual void layer_norm_backward(ConstMatrix d_out, ConstMatrix x, ConstVector gain, NormStatistics statistics,
                                   Matrix d_x, Vector gain_gradient) = 0;

  /** out = x @ weight^T        x (N, K), weight (M, K), out (N, M) */
  virtual void linear(ConstMatrix x, ConstMatrix weight, Matrix out) = 0;
  /** out = residual + x @ weight^T        residual, out (N, M) */
  virtual void linear_residual(ConstMatrix x, ConstMatrix weight, ConstMatrix residual, Matrix out) = 0;
  /** d_x = d_out @ weight        d_out (N, M), d_x (N, K) */
  virtual void linear_backward_input(ConstMatrix d_out, ConstMatrix weight, Matrix d_x) = 0;
  /** weight_gradient = d_out^T @ x        (M, K) */
  virtual void linear_backward_weight(ConstMatrix d_out, ConstMatrix x, Matrix weight_gradient) = 0;

  /** Causal softmax(q k^T / sqrt(D)) v per head.
   *  qkv (N, 3C) packed q | k | v, probabilities (B * h * T, T) kept for the backward pass, out (N, C) */
  virtual void attention(ConstMatrix qkv, AttentionShape shape, Matrix probabilities, Matrix out) = 0;
  /** d_qkv (N, 3C) is written; d_probabilities is scratch of the shape of probabilities */
  virtual void attention_backward(ConstMatrix d_out, ConstMatrix qkv, AttentionShape shape, ConstMatrix probabilities,
                                  Matrix d_probabilities, Matrix d_qkv) = 0;

  /** out = x/2 * (1 + erf(x / sqrt 2)) */
  virtual void gelu(ConstMatrix x, Matrix out) = 0;
  /** d_x = d_out * gelu'(x); d_x may be d_out */
  virtual void gelu_backward(ConstMatrix d_out, ConstMatrix x, Matrix d_x) = 0;

  /** Mean over N of -log softmax(logits)[target], nats; logits become log-probabilities.        logits (N, V) */
  virtual float cross_entropy(Matrix logits, Tokens targets) = 0;
  /** log_probabilities become (softmax - one_hot(target)) / N */
  virtual void cross_entropy_backward(Matrix log_probabilities, Tokens targets) = 0;

  /** Square root of the sum of squares. */
  virtual float norm(ConstVector values) = 0;
};

}  // namespace panthalia
