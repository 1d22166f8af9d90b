// Operators that pass every call on, and show a test what it has written: to spoil it, or to fail there.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "engine/operators.h"

namespace panthalia {

class TouchedOperators final : public Operators {
 public:
  /** Called after an operator, named as in Operators, with the first float that it wrote. */
  using Touch = std::function<void(std::string_view name, float* written)>;

  TouchedOperators(std::unique_ptr<Operators> inner, Touch touch) : inner_(std::move(inner)), touch_(std::move(touch)) {}

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
    inner_->embedding(tokens, time, token_table, position_table, out);
    touch_("embedding", out.data);
  }
  void embedding_backward(Tokens tokens, int64_t time, ConstMatrix d_out, Matrix token_gradient,
                          Matrix position_gradient) override {
    inner_->embedding_backward(tokens, time, d_out, token_gradient, position_gradient);
    touch_("embedding_backward", position_gradient.data);
  }
  void layer_norm(ConstMatrix x, ConstVector gain, Matrix out, NormStatistics statistics) override {
    inner_->layer_norm(x, gain, out, statistics);
    touch_("layer_norm", out.data);
  }
  void layer_norm_backward(ConstMatrix d_out, ConstMatrix x, ConstVector gain, NormStatistics statistics, Matrix d_x,
                           Vector gain_gradient) override {
    inner_->layer_norm_backward(d_out, x, gain, statistics, d_x, gain_gradient);
    touch_("layer_norm_backward", d_x.data);
  }
  void linear(ConstMatrix x, ConstMatrix weight, Matrix out) override {
    inner_->linear(x, weight, out);
    touch_("linear", out.data);
  }
  void linear_residual(ConstMatrix x, ConstMatrix weight, ConstMatrix residual, Matrix out) override {
    inner_->linear_residual(x, weight, residual, out);
    touch_("linear_residual", out.data);
  }
  void linear_gelu(ConstMatrix x, ConstMatrix weight, Matrix up, Matrix out) override {
    inner_->linear_gelu(x, weight, up, out);
    touch_("linear_gelu", out.data);
  }
  void linear_backward_input(ConstMatrix d_out, ConstMatrix weight, Matrix d_x) override {
    inner_->linear_backward_input(d_out, weight, d_x);
    touch_("linear_backward_input", d_x.data);
  }
  void linear_backward_input_gelu(ConstMatrix d_out, ConstMatrix weight, ConstMatrix up, Matrix d_up) override {
    inner_->linear_backward_input_gelu(d_out, weight, up, d_up);
    touch_("linear_backward_input_gelu", d_up.data);
  }
  void linear_backward_weight(ConstMatrix d_out, ConstMatrix x, Matrix weight_gradient) override {
    inner_->linear_backward_weight(d_out, x, weight_gradient);
    touch_("linear_backward_weight", weight_gradient.data);
  }
  void attention(ConstMatrix qkv, AttentionShape shape, Vector saved, Matrix out) override {
    inner_->attention(qkv, shape, saved, out);
    touch_("attention", out.data);
  }
  void attention_backward(ConstMatrix d_out, ConstMatrix out, ConstMatrix qkv, AttentionShape shape,
                          ConstVector saved, Matrix d_qkv) override {
    inner_->attention_backward(d_out, out, qkv, shape, saved, d_qkv);
    touch_("attention_backward", d_qkv.data);
  }
  float cross_entropy(Matrix logits, Tokens targets, Vector row_sums) override {
    float loss = inner_->cross_entropy(logits, targets, row_sums);
    touch_("cross_entropy", &loss);
    return loss;
  }
  void cross_entropy_backward(Matrix logits, Tokens targets, ConstVector row_sums, float share) override {
    inner_->cross_entropy_backward(logits, targets, row_sums, share);
    touch_("cross_entropy_backward", logits.data);
  }
  void accumulate(ConstVector addend, Vector total) override {
    inner_->accumulate(addend, total);
    touch_("accumulate", total.data());
  }
  float norm(const Layout& layout, const float* gradients) override {
    float norm = inner_->norm(layout, gradients);
    touch_("norm", &norm);
    return norm;
  }
  std::optional<size_t> adamw(const Layout& layout, const AdamwArenas& arenas, const InnerConstants& constants,
                              const StepScalars& scalars, float gradient_scale) override {
    const auto bad = inner_->adamw(layout, arenas, constants, scalars, gradient_scale);
    touch_("adamw", arenas.parameters);
    return bad;
  }

 private:
  std::unique_ptr<Operators> inner_;
  Touch touch_;
};

}  // namespace panthalia
