// Causal attention through libtorch: cuDNN's kernels in bf16, its own memory-efficient ones in fp32 and where cuDNN has none. No
// ATen types here.
#pragma once

#include <memory>

#include "cuda/device_memory.h"
#include "engine/operators.h"

namespace panthalia::torch_cuda {

class Attention {
 public:
  /** is_bf16: what q, k, v and the output are; else fp32 */
  Attention(CudaDevice& device, bool is_bf16);
  ~Attention();

  /** libtorch's current device and stream become the device's, and nothing is recorded for autograd. */
  std::unique_ptr<OperatorScope> enter();
  /** qkv (N, 3C), out (N, C): as in Operators. What the backward pass needs is kept under `out`.  throws TORCH, OUT_OF_MEMORY */
  void forward(const void* qkv, AttentionShape shape, void* out);
  /** Where libtorch left what was to be written to `out`; `out` itself where that was written, or is no output of attention. */
  const void* output(const void* out) const;
  void backward(const void* d_out, const void* out, const void* qkv, AttentionShape shape, void* d_qkv);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace panthalia::torch_cuda
