#include "kernels/torch/cuda_gemm.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/canon/launch.h"

namespace panthalia::torch_cuda {
namespace {

constexpr size_t workspace_bytes = size_t{64} << 20;
constexpr int most_candidates = 32;  // it has proposed 8 so far
/** Products of fewer operations take what cuBLASLt thinks best: there is nothing to win by trying. */
constexpr double least_tried_operations = 1e8;
/** After one run of each. Measured: longer runs, at the clock that the device holds under their power, choose no better. */
constexpr size_t finalists = 6;
constexpr int final_runs = 10;

void check_blas(cublasStatus_t status, const char* doing) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw EngineError(ErrorCode::torch,
                    std::string("could not ") + doing + ": cuBLASLt says " + cublasLtGetStatusString(status));
}

/** The power of two, 256 at most, that all these addresses are multiples of. */
uint32_t alignment_of(std::initializer_list<const void*> pointers) {
  uintptr_t bits = 256;
  for (const void* pointer : pointers) bits |= reinterpret_cast<uintptr_t>(pointer);
  return static_cast<uint32_t>(bits & ~(bits - 1));
}

cublasLtEpilogue_t epilogue_of(Epilogue epilogue) {
  switch (epilogue) {
    case Epilogue::none: return CUBLASLT_EPILOGUE_DEFAULT;
    case Epilogue::gelu: return CUBLASLT_EPILOGUE_GELU_AUX;
    case Epilogue::gelu_backward: return CUBLASLT_EPILOGUE_DGELU;
  }
  return CUBLASLT_EPILOGUE_DEFAULT;
}

/** cuBLASLt thinks in columns: what we call a row-major (rows, columns) matrix is its (columns, rows). */
class MatrixLayout {
 public:
  MatrixLayout(cudaDataType_t kind, int64_t rows, int64_t columns) {
    check_blas(cublasLtMatrixLayoutCreate(&layout_, kind, static_cast<uint64_t>(columns), static_cast<uint64_t>(rows),
                                          columns),
               "describe a matrix");
  }
  ~MatrixLayout() { cublasLtMatrixLayoutDestroy(layout_); }
  MatrixLayout(const MatrixLayout&) = delete;
  MatrixLayout& operator=(const MatrixLayout&) = delete;
  operator cublasLtMatrixLayout_t() const { return layout_; }

 private:
  cublasLtMatrixLayout_t layout_ = nullptr;
};

class Event {
 public:
  Event() { canon::cuda::check(cudaEventCreate(&event_), "create an event"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  operator cudaEvent_t() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace

/** The operands in cuBLASLt's order: out^T = b^T a^T. */
struct Gemm::Plan {
  Plan(const Product& product, const Key& key, cudaDataType_t factor_kind, cublasComputeType_t compute)
      : a(factor_kind, product.b.rows, product.b.columns),
        b(factor_kind, product.a.rows, product.a.columns),
        out(key.out_is_fp32 ? CUDA_R_32F : factor_kind, key.m, key.n) {
    check_blas(cublasLtMatmulDescCreate(&description, compute, CUDA_R_32F), "describe a product");
    set(CUBLASLT_MATMUL_DESC_TRANSA, key.b_transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_TRANSB, key.a_transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue_of(key.epilogue));
    if (key.epilogue == Epilogue::none) return;
    set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, key.n);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, product.before_gelu);
  }
  ~Plan() { cublasLtMatmulDescDestroy(description); }

  template <typename Value>
  void set(cublasLtMatmulDescAttributes_t attribute, const Value& value) {
    check_blas(cublasLtMatmulDescSetAttribute(description, attribute, &value, sizeof value), "describe a product");
  }

  cublasLtMatmulDesc_t description = nullptr;
  MatrixLayout a, b, out;
  std::optional<cublasLtMatmulAlgo_t> algorithm;  // none: cuBLASLt has none
};

Gemm::Gemm(CudaDevice& device, bool factors_are_bf16, Fp32Products fp32_products)
    : device_(device),
      factor_kind_(factors_are_bf16 ? CUDA_R_16BF : CUDA_R_32F),
      compute_(fp32_products == Fp32Products::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F),
      workspace_(device, workspace_bytes) {
  check_blas(cublasLtCreate(&handle_), "start cuBLASLt");
}

Gemm::~Gemm() {
  plans_.clear();
  cublasLtDestroy(handle_);
}

bool Gemm::multiply(const Product& product) {
  Plan& plan = plan_of(product);
  if (!plan.algorithm) return false;
  if (product.epilogue != Epilogue::none) {
    plan.set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, product.before_gelu);
  }
  check_blas(run(plan, product, *plan.algorithm), "multiply matrices");
  return true;
}

Gemm::Plan& Gemm::plan_of(const Product& product) {
  const auto& [a, b, out, out_is_fp32, share, residual, epilogue, before_gelu] = product;
  const Key key{a.transposed ? a.columns : a.rows,
                b.transposed ? b.rows : b.columns,
                a.transposed ? a.rows : a.columns,
                a.transposed,
                b.transposed,
                out_is_fp32 || factor_kind_ == CUDA_R_32F,
                residual != nullptr,
                epilogue,
                alignment_of({a.data, b.data, out, residual, before_gelu})};
  auto found = plans_.find(key);
  if (found == plans_.end()) {
    auto plan = std::make_unique<Plan>(product, key, factor_kind_, compute_);
    choose_algorithm(*plan, product);
    found = plans_.emplace(key, std::move(plan)).first;
  }
  return *found->second;
}

void Gemm::choose_algorithm(Plan& plan, const Product& product) {
  cublasLtMatmulPreference_t preference = nullptr;
  check_blas(cublasLtMatmulPreferenceCreate(&preference), "choose a product's algorithm");
  const std::unique_ptr<void, void (*)(void*)> owned(preference, [](void* made) {
    cublasLtMatmulPreferenceDestroy(static_cast<cublasLtMatmulPreference_t>(made));
  });
  auto prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, auto value) {
    check_blas(cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof value),
               "choose a product's algorithm");
  };
  prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace_bytes);
  // Parts of a sum are never rounded to bf16.
  prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
         static_cast<uint32_t>(CUBLASLT_REDUCTION_SCHEME_INPLACE | CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
  const void* const c = product.residual != nullptr ? product.residual : product.out;
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment_of({product.b.data}));
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment_of({product.a.data}));
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment_of({c}));
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment_of({product.out}));

  std::array<cublasLtMatmulHeuristicResult_t, most_candidates> candidates{};
  int count = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(handle_, plan.description, plan.a, plan.b, plan.out, plan.out,
                                                               preference, most_candidates, candidates.data(), &count);
  if (count == 0 && product.epilogue != Epilogue::none) return;
  check_blas(status, "choose a product's algorithm");
  if (count == 0) check_blas(CUBLAS_STATUS_NOT_SUPPORTED, "choose a product's algorithm");
  plan.algorithm = candidates[0].algo;
  const auto operations = 2.0 * static_cast<double>(product.a.rows) * static_cast<double>(product.a.columns) *
                          static_cast<double>(product.b.transposed ? product.b.rows : product.b.columns);
  if (operations < least_tried_operations) return;

  std::vector<std::pair<float, int>> tried;
  for (int i = 0; i < count; ++i) tried.emplace_back(time_of(plan, product, candidates[i].algo, 1), i);
  std::sort(tried.begin(), tried.end());
  tried.resize(std::min(tried.size(), finalists));
  for (auto& [milliseconds, i] : tried) milliseconds = time_of(plan, product, candidates[i].algo, final_runs);
  plan.algorithm = candidates[std::min_element(tried.begin(), tried.end())->second].algo;
}

/** Milliseconds of `runs` runs after one more; infinity where it can not be run. */
float Gemm::time_of(Plan& plan, const Product& product, const cublasLtMatmulAlgo_t& algorithm, int runs) {
  const Event begin, end;
  if (run(plan, product, algorithm) != CUBLAS_STATUS_SUCCESS) return std::numeric_limits<float>::infinity();
  canon::cuda::check(cudaEventRecord(begin, device_.stream()), "time a product");
  for (int i = 0; i < runs; ++i) run(plan, product, algorithm);
  canon::cuda::check(cudaEventRecord(end, device_.stream()), "time a product");
  canon::cuda::check(cudaEventSynchronize(end), "time a product");
  float milliseconds = 0;
  canon::cuda::check(cudaEventElapsedTime(&milliseconds, begin, end), "time a product");
  return milliseconds;
}

cublasStatus_t Gemm::run(Plan& plan, const Product& product, const cublasLtMatmulAlgo_t& algorithm) {
  const float beta = product.residual != nullptr ? 1.0f : 0.0f;
  const void* const c = product.residual != nullptr ? product.residual : product.out;
  return cublasLtMatmul(handle_, plan.description, &product.share, product.b.data, plan.a, product.a.data, plan.b, &beta,
                        c, plan.out, product.out, plan.out, &algorithm, workspace_.data(), workspace_bytes,
                        device_.stream());
}

}  // namespace panthalia::torch_cuda
