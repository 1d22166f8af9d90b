// Opset `torch`: the operators through at:: functions on views of our memory, and a few fused loops of our own.
#pragma once

#include "engine/operators.h"

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
  void attention(ConstMatrix qkv, AttentionShape shape, Matrix probabilities, Matrix out) override;
  void attention_backward(ConstMatrix d_out, ConstMatrix qkv, AttentionShape shape, ConstMatrix probabilities,
                          Matrix d_probabilities, Matrix d_qkv) override;
  void gelu(ConstMatrix x, Matrix out) override;
  void gelu_backward(ConstMatrix d_out, ConstMatrix x, Matrix d_x) override;
  float cross_entropy(Matrix logits, Tokens targets) override;
  void cross_entropy_backward(Matrix log_probabilities, Tokens targets) override;
  float norm(ConstVector values) override;

 private:
  ThreadAgreement agreement_;
};

}  // namespace panthalia
