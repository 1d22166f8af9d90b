// Opset `torch`: the operators through at:: functions on views of our memory, and a few fused loops of our own.
#pragma once

#include "engine/arena.h"
#include "engine/operators.h"
#include "engine/state_tree.h"

namespace panthalia {

/** Holds the process to one number of intra-op threads while it lives. */
struct ThreadAgreement {
  explicit ThreadAgreement(int threads);
  ~ThreadAgreement();
  ThreadAgreement(const ThreadAgreement&) = delete;
  ThreadAgreement& operator=(const ThreadAgreement&) = delete;
  const int threads;
};

class TorchOperators final : public Operators {
 public:
  explicit TorchOperators(int threads) : agreement_(threads) {}

  void plan(const ModelShape& shape, BatchShape batch) override;
  int64_t attention_saved(AttentionShape shape) const override;
  std::unique_ptr<OperatorScope> enter() override;
  void embedding(Tokens tokens, int64_t time, ConstMatrix token_table, ConstMatrix position_table,
                 Matrix out) override;
  void embedding_backward(Tokens tokens, int64_t time, ConstMatrix d_out, Matrix token_gradient,
                          Matrix position_gradient) override;
  void layer_norm(ConstMatrix x, ConstVector gain, Matrix out, NormStatistics statistics) override;
  void layer_norm_backward(ConstMatrix d_out, ConstMatrix x, ConstVector gain, NormStatistics statistics, Matrix d_x,
                           Vector gain_gradient) override;
  void linear(ConstMatrix x, ConstMatrix weight, Matrix out) override;
  void linear_residual(ConstMatrix x, ConstMatrix weight, ConstMatrix residual, Matrix out) override;
  void linear_backward_input(ConstMatrix d_out, ConstMatrix weight, Matrix d_x) override;
  void linear_backward_weight(ConstMatrix d_out, ConstMatrix x, Matrix weight_gradient) override;
  void linear_gelu(ConstMatrix x, ConstMatrix weight, Matrix up, Matrix out) override;
  void linear_backward_input_gelu(ConstMatrix d_out, ConstMatrix weight, ConstMatrix up, Matrix d_up) override;
  void attention(ConstMatrix qkv, AttentionShape shape, Vector saved, Matrix out) override;
  void attention_backward(ConstMatrix d_out, ConstMatrix out, ConstMatrix qkv, AttentionShape shape,
                          ConstVector saved, Matrix d_qkv) override;
  float cross_entropy(Matrix logits, Tokens targets, Vector row_sums) override;
  void cross_entropy_backward(Matrix logits, Tokens targets, ConstVector row_sums, float share) override;
  void accumulate(ConstVector addend, Vector total) override;
  float norm(const Layout& layout, const float* gradients) override;
  std::optional<size_t> adamw(const Layout& layout, const AdamwArenas& arenas, const InnerConstants& constants,
                              const StepScalars& scalars, float gradient_scale) override;
  bool all_finite(ConstVector values) override;
  Digest group_root(const Layout& layout, const float* arena) override;

 private:
  const char* approximation() const;

  ThreadAgreement agreement_;
  Gelu gelu_ = Gelu::erf;
  std::optional<StateTree> state_tree_;
  Arena d_probabilities_;  // (B * h * T, T)
};

}  // namespace panthalia
