// canon-f32-v1 on one CUDA device: the operators as launches of the kernels in kernels/canon/*.cu, and the scratch they need.
#pragma once

#include <memory>
#include <vector>

#include "cuda/device_answer.h"
#include "cuda/device_memory.h"
#include "cuda/device_slots.h"
#include "engine/operators.h"
#include "kernels/canon/cuda_kernels.h"

namespace panthalia {

class CudaOperators final : public Operators {
 public:
  explicit CudaOperators(std::unique_ptr<CudaDevice> device);

  Memory& memory() override { return *device_; }
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
  void linear_gelu(ConstMatrix x, ConstMatrix weight, Matrix up, Matrix out) override;
  void linear_backward_input(ConstMatrix d_out, ConstMatrix weight, Matrix d_x) override;
  void linear_backward_input_gelu(ConstMatrix d_out, ConstMatrix weight, ConstMatrix up, Matrix d_up) override;
  void linear_backward_weight(ConstMatrix d_out, ConstMatrix x, Matrix weight_gradient) override;
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

 private:
  void product(canon::cuda::Operand a, canon::cuda::Operand b, Matrix out, int64_t depth,
               const float* residual = nullptr);
  /** The tokens on the device, until the next call. */
  const int64_t* upload(Tokens tokens);
  /** The rows of each token that occurs, on the device, until the next call. */
  canon::cuda::Occurrences find_occurrences(Tokens tokens);

  std::unique_ptr<CudaDevice> device_;
  canon::cuda::GeluKind gelu_ = canon::cuda::GeluKind::erf;
  int64_t strips_ = 0;  // blocks of the attention's grid, each with a strip of scores
  DeviceSlots norm_slots_, leaf_slots_;
  DeviceBuffer<int64_t> tokens_;                   // (N)
  DeviceBuffer<int32_t> occurrences_;              // tokens, starts, rows
  DeviceBuffer<float> chains_;                     // of products whose chunks are taken side by side
  DeviceBuffer<float> turned_;                     // of attention: channels by positions
  DeviceBuffer<float> score_strips_;               // (strips, T, 64)
  DeviceBuffer<float> corrections_;                // (B * h * T)
  DeviceBuffer<float> column_sums_;                // (ceil(N / 64), C)
  DeviceBuffer<float> row_greatest_, row_losses_;  // (N)
  DeviceBuffer<float> square_sums_;                // of chunks, then of tensors
  DeviceBuffer<canon::cuda::DeviceDigest> digests_, roots_;  // of three arenas
  DeviceAnswer<float> answer_;
  DeviceAnswer<int32_t> found_;
  std::vector<int32_t> next_row_, host_occurrences_;
};

}  // namespace panthalia
