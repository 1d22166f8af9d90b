// The operators of one opset, forward and backward, over raw fp32 memory. The model (gpt.cc) is written against this and
// nothing else; `torch` implements it with at:: functions, `canon-f32-v1` with our own loops.
//
// Legend: B batch, T time, C channels, V vocabulary, N = B * T rows. Matrices are dense and row-major.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "engine/adamw.h"
#include "engine/memory.h"
#include "engine/model.h"
#include "engine/sha256.h"

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

/** Thread-local settings of an opset, in force while the scope lives; null where an opset has none to take back. */
class OperatorScope {
 public:
  virtual ~OperatorScope() = default;
};

class Operators {
 public:
  virtual ~Operators() = default;

  /** Where every pointer below points, but for tokens. */
  virtual Memory& memory() { return host_memory(); }
  /** Called once, before any other: allocates all the scratch that these shapes need. A step allocates nothing. */
  virtual void plan(const ModelShape& shape, BatchShape batch) = 0;
  /** Floats of memory that hold an activation of so many elements, where it is not of the residual stream: that is fp32. */
  virtual int64_t activation_floats(int64_t elements) const { return elements; }
  /** Floats that attention keeps for its backward pass. */
  virtual int64_t attention_saved(AttentionShape shape) const = 0;
  /** Every call below happens inside a scope entered on the same thread. */
  virtual std::unique_ptr<OperatorScope> enter() = 0;

  /** Called whenever the arena of theta was written by anything but adamw. */
  virtual void parameters_written(const float*) {}

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
  /** up = x @ weight^T, out = gelu(up), of the kind the model was planned with        up, out (N, M) */
  virtual void linear_gelu(ConstMatrix x, ConstMatrix weight, Matrix up, Matrix out) = 0;
  /** d_x = d_out @ weight        d_out (N, M), d_x (N, K) */
  virtual void linear_backward_input(ConstMatrix d_out, ConstMatrix weight, Matrix d_x) = 0;
  /** d_up = (d_out @ weight) * gelu'(up)        d_out (N, M), up, d_up (N, K) */
  virtual void linear_backward_input_gelu(ConstMatrix d_out, ConstMatrix weight, ConstMatrix up, Matrix d_up) = 0;
  /** weight_gradient = d_out^T @ x        (M, K) */
  virtual void linear_backward_weight(ConstMatrix d_out, ConstMatrix x, Matrix weight_gradient) = 0;

  /** Causal softmax(q k^T / sqrt(D)) v per head.
   *  qkv (N, 3C) packed q | k | v, out (N, C); saved: attention_saved floats for the backward pass */
  virtual void attention(ConstMatrix qkv, AttentionShape shape, Vector saved, Matrix out) = 0;
  /** d_qkv (N, 3C) is written; out: what attention wrote */
  virtual void attention_backward(ConstMatrix d_out, ConstMatrix out, ConstMatrix qkv, AttentionShape shape,
                                  ConstVector saved, Matrix d_qkv) = 0;

  /** Mean over N of -log softmax(logits)[target], nats. logits and row_sums are left as cross_entropy_backward needs
   *  them.        logits (N, V), row_sums (N) */
  virtual float cross_entropy(Matrix logits, Tokens targets, Vector row_sums) = 0;
  /** logits, as cross_entropy left them, become (softmax - one_hot(target)) * share */
  virtual void cross_entropy_backward(Matrix logits, Tokens targets, ConstVector row_sums, float share) = 0;

  /** total += addend */
  virtual void accumulate(ConstVector addend, Vector total) = 0;
  /** Square root of the sum of squares over an arena laid out as theta. */
  virtual float norm(const Layout& layout, const float* gradients) = 0;
  /** source: engine/adamw.h.  returns the first tensor left with NaN or Inf, if any */
  virtual std::optional<size_t> adamw(const Layout& layout, const AdamwArenas& arenas, const InnerConstants& constants,
                                      const StepScalars& scalars, float gradient_scale) = 0;
  virtual bool all_finite(ConstVector values) = 0;
  /** The same for what activation_floats were asked for. */
  virtual bool is_finite(ConstMatrix activation) {
    return all_finite({activation.data, static_cast<size_t>(activation.rows * activation.cols)});
  }
  /** The roots of up to three arenas in the state tree, in their order. */
  virtual void group_roots(const Layout& layout, std::span<const float* const> arenas, Digest* roots) = 0;
};

}  // namespace panthalia
