// Opset `torch`: libtorch multiplies matrices, everything else are the kernels of canon-f32-v1 on libtorch's threads. Where a
// processor has instructions for bf16: bf16_operators.h.
#pragma once

#include <vector>

#include "engine/arena.h"
#include "engine/operators.h"
#include "engine/state_tree.h"
#include "kernels/canon/linear_operators.h"
#include "kernels/torch/torch_runtime.h"

namespace panthalia {

/** Holds the process to one number of intra-op threads while it lives. */
struct ThreadAgreement {
  explicit ThreadAgreement(int threads);
  ~ThreadAgreement();
  ThreadAgreement(const ThreadAgreement&) = delete;
  ThreadAgreement& operator=(const ThreadAgreement&) = delete;
  const int threads;
};

class TorchOperators : public canon::LinearOperators {
 public:
  /** rounds: whether what a product or attention reads and gives is rounded to bf16, and stays fp32 */
  TorchOperators(int threads, const canon::Kernels& kernels, bool rounds);

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
  void group_roots(const Layout& layout, std::span<const float* const> arenas, Digest* roots) override;

 protected:
  int threads() const { return agreement_.threads; }
  void product(const canon::GemmCall& call) override;
  /** What product() needs of factors_. */
  virtual int64_t factor_floats(const canon::GemmCall& call) const;
  /** Called by adamw for each part of theta, on any thread. */
  virtual void parameters_updated(const float*, int64_t) {}

  const canon::Kernels kernels_;
  Arena factors_;

 private:
  /** One part of one tensor. */
  struct Piece {
    size_t tensor;
    int64_t offset;  // floats from the start of the arena
    int64_t length;
  };

  void multiply(const canon::GemmCall& call);
  /** What follows a product. */
  void finish(const canon::GemmCall& call);
  /** Leaves in place what bf16 can hold of each, where it is to be rounded. */
  void round_output(Matrix matrix);
  float* scratch_of_thread();

  ThreadAgreement agreement_;
  const bool rounds_;
  std::optional<StateTree> state_tree_;
  std::vector<Piece> pieces_;
  /** What one operator needs while it runs: partial sums, losses of rows, attention's scratch of each thread. */
  Arena scratch_;
  int64_t scratch_stride_ = 0;
};

}  // namespace panthalia
