// Operators that pass every call on to others and tell of each: to take its time, to spoil what it wrote, or to fail there.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "engine/operators.h"

namespace panthalia {

/** An operator that is called, named as in Operators. */
struct OperatorCall {
  std::string_view name;
  /** of a product: its weight, and the rows of the activations */
  std::optional<ConstMatrix> weight = std::nullopt;
  int64_t rows = 0;
};

class WatchedOperators : public Operators {
 public:
  explicit WatchedOperators(std::unique_ptr<Operators> inner) : inner_(std::move(inner)) {}

  virtual void begins(const OperatorCall&) {}
  /** written: the first float that the operator wrote */
  virtual void ends(const OperatorCall&, float* /*written*/) {}

  Memory& memory() override { return inner_->memory(); }
  void plan(const ModelShape& shape, BatchShape batch) override { inner_->plan(shape, batch); }
  int64_t activation_floats(int64_t elements) const override { return inner_->activation_floats(elements); }
  int64_t attention_saved(AttentionShape shape) const override { return inner_->attention_saved(shape); }
  std::unique_ptr<OperatorScope> enter() override { return inner_->enter(); }
  void parameters_written(const float* parameters) override { inner_->parameters_written(parameters); }
  bool all_finite(ConstVector values) override { return inner_->all_finite(values); }
  bool is_finite(ConstMatrix activation) override { return inner_->is_finite(activation); }
  void group_roots(const Layout& layout, std::span<const float* const> arenas, Digest* roots) override {
    inner_->group_roots(layout, arenas, roots);
  }

  void embedding(Tokens tokens, int64_t time, ConstMatrix token_table, ConstMatrix position_table,
                 Matrix out) override {
    const OperatorCall call{"embedding"};
    begins(call);
    inner_->embedding(tokens, time, token_table, position_table, out);
    ends(call, out.data);
  }
  void embedding_backward(Tokens tokens, int64_t time, ConstMatrix d_out, Matrix token_gradient,
                          Matrix position_gradient) override {
    const OperatorCall call{"embedding_backward"};
    begins(call);
    inner_->embedding_backward(tokens, time, d_out, token_gradient, position_gradient);
    ends(call, position_gradient.data);
  }
  void layer_norm(ConstMatrix x, ConstVector gain, Matrix out, NormStatistics statistics) override {
    const OperatorCall call{"layer_norm"};
    begins(call);
    inner_->layer_norm(x, gain, out, statistics);
    ends(call, out.data);
  }
  void layer_norm_backward(ConstMatrix d_out, ConstMatrix x, ConstVector gain, NormStatistics statistics, Matrix d_x,
                           Vector gain_gradient) override {
    const OperatorCall call{"layer_norm_backward"};
    begins(call);
    inner_->layer_norm_backward(d_out, x, gain, statistics, d_x, gain_gradient);
    ends(call, d_x.data);
  }
  void linear(ConstMatrix x, ConstMatrix weight, Matrix out) override {
    const OperatorCall call{"linear", weight, x.rows};
    begins(call);
    inner_->linear(x, weight, out);
    ends(call, out.data);
  }
  void linear_residual(ConstMatrix x, ConstMatrix weight, ConstMatrix residual, Matrix out) override {
    const OperatorCall call{"linear_residual", weight, x.rows};
    begins(call);
    inner_->linear_residual(x, weight, residual, out);
    ends(call, out.data);
  }
  void linear_gelu(ConstMatrix x, ConstMatrix weight, Matrix up, Matrix out) override {
    const OperatorCall call{"linear_gelu", weight, x.rows};
    begins(call);
    inner_->linear_gelu(x, weight, up, out);
    ends(call, out.data);
  }
  void linear_backward_input(ConstMatrix d_out, ConstMatrix weight, Matrix d_x) override {
    const OperatorCall call{"linear_backward_input", weight, d_out.rows};
    begins(call);
    inner_->linear_backward_input(d_out, weight, d_x);
    ends(call, d_x.data);
  }
  void linear_backward_input_gelu(ConstMatrix d_out, ConstMatrix weight, ConstMatrix up, Matrix d_up) override {
    const OperatorCall call{"linear_backward_input_gelu", weight, d_out.rows};
    begins(call);
    inner_->linear_backward_input_gelu(d_out, weight, up, d_up);
    ends(call, d_up.data);
  }
  void linear_backward_weight(ConstMatrix d_out, ConstMatrix x, Matrix weight_gradient) override {
    const OperatorCall call{"linear_backward_weight", weight_gradient, x.rows};
    begins(call);
    inner_->linear_backward_weight(d_out, x, weight_gradient);
    ends(call, weight_gradient.data);
  }
  void attention(ConstMatrix qkv, AttentionShape shape, Vector saved, Matrix out) override {
    const OperatorCall call{"attention"};
    begins(call);
    inner_->attention(qkv, shape, saved, out);
    ends(call, out.data);
  }
  void attention_backward(ConstMatrix d_out, ConstMatrix out, ConstMatrix qkv, AttentionShape shape,
                          ConstVector saved, Matrix d_qkv) override {
    const OperatorCall call{"attention_backward"};
    begins(call);
    inner_->attention_backward(d_out, out, qkv, shape, saved, d_qkv);
    ends(call, d_qkv.data);
  }
  float cross_entropy(Matrix logits, Tokens targets, Vector row_sums) override {
    const OperatorCall call{"cross_entropy"};
    begins(call);
    float loss = inner_->cross_entropy(logits, targets, row_sums);
    ends(call, &loss);
    return loss;
  }
  void cross_entropy_backward(Matrix logits, Tokens targets, ConstVector row_sums, float share) override {
    const OperatorCall call{"cross_entropy_backward"};
    begins(call);
    inner_->cross_entropy_backward(logits, targets, row_sums, share);
    ends(call, logits.data);
  }
  void accumulate(ConstVector addend, Vector total) override {
    const OperatorCall call{"accumulate"};
    begins(call);
    inner_->accumulate(addend, total);
    ends(call, total.data());
  }
  float norm(const Layout& layout, const float* gradients) override {
    const OperatorCall call{"norm"};
    begins(call);
    float norm = inner_->norm(layout, gradients);
    ends(call, &norm);
    return norm;
  }
  std::optional<size_t> adamw(const Layout& layout, const AdamwArenas& arenas, const InnerConstants& constants,
                              const StepScalars& scalars, float gradient_scale) override {
    const OperatorCall call{"adamw"};
    begins(call);
    const auto bad = inner_->adamw(layout, arenas, constants, scalars, gradient_scale);
    ends(call, arenas.parameters);
    return bad;
  }

 private:
  std::unique_ptr<Operators> inner_;
};

}  // namespace panthalia
