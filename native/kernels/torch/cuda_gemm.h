// Products of matrices through cuBLASLt, each by the fastest of the algorithms that it proposes for the shape.
#pragma once

#include <cublasLt.h>

#include <compare>
#include <cstdint>
#include <map>
#include <memory>

#include "cuda/device_memory.h"
#include "engine/model.h"

namespace panthalia::torch_cuda {

/** How products of fp32 multiply; bf16 is multiplied as it is. Sums are fp32 always. */
enum class Fp32Products { exact, tf32 };

/** A dense row-major matrix on the device, as it lies in memory. */
struct Operand {
  const void* data;
  int64_t rows;
  int64_t columns;
  bool transposed = false;  // how the product reads it
};

/** What is done to a product before it is written. */
enum class Epilogue { none, gelu, gelu_backward };

/** out (M, N) = share * a (M, K) @ b (K, N) + residual */
struct Product {
  Operand a;
  Operand b;
  void* out;
  bool out_is_fp32 = true;              // else as a and b
  float share = 1;
  const float* residual = nullptr;      // (M, N), where out is fp32
  Epilogue epilogue = Epilogue::none;   // gelu by tanh
  void* before_gelu = nullptr;          // (M, N): written by gelu, read by gelu_backward
};

class Gemm {
 public:
  /** factors_are_bf16: a and b, else they are fp32.  throws TORCH, OUT_OF_MEMORY */
  Gemm(CudaDevice& device, bool factors_are_bf16, Fp32Products fp32_products);
  ~Gemm();
  Gemm(const Gemm&) = delete;
  Gemm& operator=(const Gemm&) = delete;

  /** The first product of a shape tries the algorithms, some milliseconds each, and so differs from run to run in its last bits.
   *  returns false, having done nothing, where cuBLASLt has no such product with its epilogue
   *  throws TORCH, DEVICE_LOST */
  bool multiply(const Product& product);

 private:
  struct Key {
    int64_t m, n, k;
    bool a_transposed, b_transposed, out_is_fp32, with_residual;
    Epilogue epilogue;
    uint32_t alignment;
    auto operator<=>(const Key&) const = default;
  };
  struct Plan;
  Plan& plan_of(const Product& product);
  void choose_algorithm(Plan& plan, const Product& product);
  float time_of(Plan& plan, const Product& product, const cublasLtMatmulAlgo_t& algorithm, int runs);
  cublasStatus_t run(Plan& plan, const Product& product, const cublasLtMatmulAlgo_t& algorithm);

  CudaDevice& device_;
  const cudaDataType_t factor_kind_;
  const cublasComputeType_t compute_;
  cublasLtHandle_t handle_ = nullptr;
  DeviceBuffer<std::byte> workspace_;
  std::map<Key, std::unique_ptr<Plan>> plans_;
};

}  // namespace panthalia::torch_cuda
