#include "kernels/torch/torch_operators.h"

#include <ATen/Parallel.h>
#include <ATen/ops/_log_softmax.h>
#include <ATen/ops/_softmax.h>
#include <ATen/ops/_softmax_backward_data.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gelu_backward.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/native_layer_norm.h>
#include <ATen/ops/native_layer_norm_backward.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/parameter_file.h"
#include "engine/vectorised.h"

namespace panthalia {
namespace {

constexpr double norm_epsilon = 1e-5;

class TorchScope final : public OperatorScope {
  c10::InferenceMode inference_mode_;  // no autograd bookkeeping
};

/** libtorch's own threads, as many as the scope in force says. */
class IntraOp final : public Parallel {
  void run(int64_t pieces, PieceFunction function) override {
    at::parallel_for(0, pieces, 1, [&](int64_t begin, int64_t end) {
      for (int64_t piece = begin; piece < end; ++piece) function(piece);
    });
  }
};

// at:: has no const tensors; these are only ever read.
float* unconst(const float* data) { return const_cast<float*>(data); }

at::Tensor tensor(ConstMatrix matrix) {
  return at::from_blob(unconst(matrix.data), {matrix.rows, matrix.cols}, at::kFloat);
}

at::Tensor tensor(ConstVector values) {
  return at::from_blob(unconst(values.data()), {static_cast<int64_t>(values.size())}, at::kFloat);
}

/** A statistic as at:: keeps it: (N, 1). */
at::Tensor column(Vector values) {
  return at::from_blob(values.data(), {static_cast<int64_t>(values.size()), 1}, at::kFloat);
}

/** Part 0, 1 or 2 of the packed q | k | v of one sequence, as (h, T, D). */
at::Tensor heads_of(ConstMatrix packed, AttentionShape shape, int64_t sequence, int64_t part) {
  const int64_t channels = shape.heads * shape.head_width;
  return at::from_blob(unconst(packed.data) + sequence * shape.time * packed.cols + part * channels,
                       {shape.heads, shape.time, shape.head_width}, {shape.head_width, packed.cols, 1}, at::kFloat);
}

/** The scores of one sequence as (h, T, T). */
at::Tensor scores_of(ConstMatrix scores, AttentionShape shape, int64_t sequence) {
  return at::from_blob(unconst(scores.data) + sequence * shape.heads * shape.time * shape.time,
                       {shape.heads, shape.time, shape.time}, at::kFloat);
}

float scale_of(AttentionShape shape) { return 1.0f / std::sqrt(static_cast<float>(shape.head_width)); }

void add_row(float* out, const float* row, int64_t length) {
  vectorised([=] PANTHALIA_LOOP() {
    for (int64_t c = 0; c < length; ++c) out[c] += row[c];
  });
}

void add_rows(float* out, const float* left, const float* right, int64_t length) {
  vectorised([=] PANTHALIA_LOOP() {
    for (int64_t c = 0; c < length; ++c) out[c] = left[c] + right[c];
  });
}

void scale(float* values, int64_t length, float factor) {
  vectorised([=] PANTHALIA_LOOP() {
    for (int64_t i = 0; i < length; ++i) values[i] *= factor;
  });
}

double sum_of_squares(const float* values, int64_t length) {
  return vectorised([=] PANTHALIA_LOOP() {
    constexpr int64_t lanes = 16;  // a fixed order of additions, whatever the vector width
    double sums[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= length; i += lanes) {
      for (int64_t lane = 0; lane < lanes; ++lane) {
        const double value = values[i + lane];
        sums[lane] += value * value;
      }
    }
    for (; i < length; ++i) sums[i % lanes] += static_cast<double>(values[i]) * values[i];
    double total = 0;
    for (double sum : sums) total += sum;
    return total;
  });
}

}  // namespace

void TorchOperators::plan(const ModelShape& shape, BatchShape batch) {
  gelu_ = shape.gelu;
  state_tree_.emplace(Layout(shape));
  d_probabilities_ = Arena(batch.count() * shape.heads * batch.tokens);
}

/** The probabilities: (B * h * T, T). */
int64_t TorchOperators::attention_saved(AttentionShape shape) const {
  return shape.batch * shape.heads * shape.time * shape.time;
}

std::unique_ptr<OperatorScope> TorchOperators::enter() {
  at::set_num_threads(agreement_.threads);
  return std::make_unique<TorchScope>();
}

void TorchOperators::embedding(Tokens tokens, int64_t time, ConstMatrix token_table, ConstMatrix position_table,
                               Matrix out) {
  for (int64_t n = 0; n < out.rows; ++n) {
    add_rows(out.data + n * out.cols, token_table.data + tokens[n] * out.cols,
             position_table.data + n % time * out.cols, out.cols);
  }
}

void TorchOperators::embedding_backward(Tokens tokens, int64_t time, ConstMatrix d_out, Matrix token_gradient,
                                        Matrix position_gradient) {
  std::fill_n(position_gradient.data, position_gradient.rows * position_gradient.cols, 0.0f);
  for (int64_t n = 0; n < d_out.rows; ++n) {
    const float* row = d_out.data + n * d_out.cols;
    add_row(token_gradient.data + tokens[n] * d_out.cols, row, d_out.cols);
    add_row(position_gradient.data + n % time * d_out.cols, row, d_out.cols);
  }
}

void TorchOperators::layer_norm(ConstMatrix x, ConstVector gain, Matrix out, NormStatistics statistics) {
  auto out_tensor = tensor(out), mean = column(statistics.mean), deviation = column(statistics.reciprocal_deviation);
  at::native_layer_norm_out(out_tensor, mean, deviation, tensor(x), {x.cols}, tensor(gain), {}, norm_epsilon);
}

void TorchOperators::layer_norm_backward(ConstMatrix d_out, ConstMatrix x, ConstVector gain,
                                         NormStatistics statistics, Matrix d_x, Vector gain_gradient) {
  const auto [through, gain_part, no_bias] = at::native_layer_norm_backward(
      tensor(d_out), tensor(x), {x.cols}, column(statistics.mean), column(statistics.reciprocal_deviation),
      tensor(gain), {}, {true, true, false});
  add_row(d_x.data, through.const_data_ptr<float>(), d_x.rows * d_x.cols);
  std::copy_n(gain_part.const_data_ptr<float>(), gain_gradient.size(), gain_gradient.data());
}

void TorchOperators::linear(ConstMatrix x, ConstMatrix weight, Matrix out) {
  auto out_tensor = tensor(out);
  at::mm_out(out_tensor, tensor(x), tensor(weight).t());
}

void TorchOperators::linear_residual(ConstMatrix x, ConstMatrix weight, ConstMatrix residual, Matrix out) {
  auto out_tensor = tensor(out);
  at::addmm_out(out_tensor, tensor(residual), tensor(x), tensor(weight).t());
}

void TorchOperators::linear_backward_input(ConstMatrix d_out, ConstMatrix weight, Matrix d_x) {
  auto d_x_tensor = tensor(d_x);
  at::mm_out(d_x_tensor, tensor(d_out), tensor(weight));
}

void TorchOperators::linear_backward_weight(ConstMatrix d_out, ConstMatrix x, Matrix weight_gradient) {
  auto gradient = tensor(weight_gradient);
  at::mm_out(gradient, tensor(d_out).t(), tensor(x));
}

void TorchOperators::attention(ConstMatrix qkv, AttentionShape shape, Vector saved, Matrix out) {
  const Matrix probabilities{saved.data(), shape.batch * shape.heads * shape.time, shape.time};
  const auto mask = at::full({shape.time, shape.time}, -std::numeric_limits<float>::infinity(), at::kFloat).triu_(1);
  for (int64_t b = 0; b < shape.batch; ++b) {
    auto scores = scores_of(probabilities, shape, b);
    at::baddbmm_out(scores, mask, heads_of(qkv, shape, b, 0), heads_of(qkv, shape, b, 1).transpose(1, 2), 1,
                    scale_of(shape));
  }
  auto all = tensor(probabilities);  // (B * h * T, T)
  at::_softmax_out(all, all, -1, false);
  for (int64_t b = 0; b < shape.batch; ++b) {
    auto heads = heads_of(out, shape, b, 0);
    at::bmm_out(heads, scores_of(probabilities, shape, b), heads_of(qkv, shape, b, 2));
  }
}

void TorchOperators::attention_backward(ConstMatrix d_out, ConstMatrix, ConstMatrix qkv, AttentionShape shape,
                                        ConstVector saved, Matrix d_qkv) {
  const int64_t score_rows = shape.batch * shape.heads * shape.time;
  const ConstMatrix probabilities(saved.data(), score_rows, shape.time);
  const Matrix d_probabilities{d_probabilities_.data(), score_rows, shape.time};
  for (int64_t b = 0; b < shape.batch; ++b) {
    const auto d_heads = heads_of(d_out, shape, b, 0);
    auto d_scores = scores_of(d_probabilities, shape, b), d_value = heads_of(d_qkv, shape, b, 2);
    at::bmm_out(d_scores, d_heads, heads_of(qkv, shape, b, 2).transpose(1, 2));
    at::bmm_out(d_value, scores_of(probabilities, shape, b).transpose(1, 2), d_heads);
  }
  auto all = tensor(d_probabilities);
  at::_softmax_backward_data_out(all, all, tensor(probabilities), -1, at::kFloat);
  for (int64_t b = 0; b < shape.batch; ++b) {
    const auto d_scores = scores_of(d_probabilities, shape, b);
    auto d_query = heads_of(d_qkv, shape, b, 0), d_key = heads_of(d_qkv, shape, b, 1);
    at::baddbmm_out(d_query, d_query, d_scores, heads_of(qkv, shape, b, 1), 0, scale_of(shape));
    at::baddbmm_out(d_key, d_key, d_scores.transpose(1, 2), heads_of(qkv, shape, b, 0), 0, scale_of(shape));
  }
}

void TorchOperators::linear_gelu(ConstMatrix x, ConstMatrix weight, Matrix up, Matrix out) {
  linear(x, weight, up);
  auto out_tensor = tensor(out);
  at::gelu_out(out_tensor, tensor(up), approximation());
}

void TorchOperators::linear_backward_input_gelu(ConstMatrix d_out, ConstMatrix weight, ConstMatrix up, Matrix d_up) {
  linear_backward_input(d_out, weight, d_up);
  auto d_up_tensor = tensor(d_up);
  at::gelu_backward_out(d_up_tensor, d_up_tensor, tensor(up), approximation());
}

/** Logits become log-probabilities. */
float TorchOperators::cross_entropy(Matrix logits, Tokens targets, Vector) {
  auto all = tensor(logits);
  at::_log_softmax_out(all, all, -1, false);
  double sum = 0;
  for (int64_t n = 0; n < logits.rows; ++n) sum -= logits.data[n * logits.cols + targets[n]];
  return static_cast<float>(sum / static_cast<double>(logits.rows));
}

void TorchOperators::cross_entropy_backward(Matrix logits, Tokens targets, ConstVector, float share) {
  auto all = tensor(logits);
  at::exp_out(all, all);
  for (int64_t n = 0; n < logits.rows; ++n) {
    float* row = logits.data + n * logits.cols;
    row[targets[n]] -= 1.0f;
    scale(row, logits.cols, share);
  }
}

void TorchOperators::accumulate(ConstVector addend, Vector total) {
  add_row(total.data(), addend.data(), static_cast<int64_t>(total.size()));
}

float TorchOperators::norm(const Layout& layout, const float* gradients) {
  return static_cast<float>(std::sqrt(sum_of_squares(gradients, layout.parameter_count())));
}

std::optional<size_t> TorchOperators::adamw(const Layout& layout, const AdamwArenas& arenas,
                                            const InnerConstants& constants, const StepScalars& scalars,
                                            float gradient_scale) {
  return panthalia::adamw(layout, arenas, constants, scalars, gradient_scale);
}

bool TorchOperators::all_finite(ConstVector values) {
  return panthalia::all_finite(values.data(), static_cast<int64_t>(values.size()));
}

Digest TorchOperators::group_root(const Layout&, const float* arena) {
  IntraOp parallel;
  return state_tree_->group_root(arena, parallel);
}

const char* TorchOperators::approximation() const { return gelu_ == Gelu::erf ? "none" : "tanh"; }

}  // namespace panthalia
