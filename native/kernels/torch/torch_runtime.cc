#include "kernels/torch/torch_runtime.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/util/Exception.h>
#include <torch/headeronly/version.h>

#include <filesystem>
#include <mutex>
#include <new>

#include "kernels/canon/isa.h"
#include "kernels/torch/bf16_operators.h"
#include "kernels/torch/torch_operators.h"

namespace panthalia {
namespace {

std::mutex process_mutex;
int process_threads = 0;    // the number every living TorchOperators has agreed to
int living_operators = 0;

/** Settings that change bits: which library multiplies, and which of several algorithms is taken. */
void pin_settings() {
  if (at::get_num_interop_threads() != 1) at::set_num_interop_threads(1);
  at::globalContext().setFloat32MatmulPrecision("highest");
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  at::globalContext().setDeterministicFillUninitializedMemory(false);  // no bits, only time
}

/** MKL ends the whole process ("FATAL ERROR: Cannot load libtorch_cpu.so") when its first product finds that the working
 *  directory was deleted. */
void check_working_directory() {
  std::error_code failed;
  std::filesystem::current_path(failed);
  if (failed) {
    throw EngineError(ErrorCode::io, "the working directory must exist for libtorch to load, and it was deleted: " +
                                         failed.message());
  }
}

}  // namespace

ThreadAgreement::ThreadAgreement(int threads) : threads(threads) {
  if (threads < 1 || threads > 1024) {
    throw EngineError(ErrorCode::value_out_of_range,
                      "threads must be between 1 and 1024, received " + std::to_string(threads));
  }
  check_working_directory();
  const std::lock_guard lock(process_mutex);
  if (living_operators > 0 && process_threads != threads) {
    throw EngineError(ErrorCode::value_out_of_range,
                      "all trainers of one process share one number of threads: " + std::to_string(process_threads) +
                          " is in use, received " + std::to_string(threads));
  }
  static std::once_flag pinned;
  std::call_once(pinned, pin_settings);
  process_threads = threads;
  living_operators += 1;
}

ThreadAgreement::~ThreadAgreement() {
  const std::lock_guard lock(process_mutex);
  living_operators -= 1;
}

Precision precision_named(std::string_view name) {
  if (name == "fp32") return Precision::fp32;
  if (name == "bf16") return Precision::bf16;
  throw EngineError(ErrorCode::value_out_of_range, "precision must be fp32 or bf16, received " + std::string(name));
}

bool has_bf16_instructions() {
#if defined(__x86_64__)
  return canon::best_isa() == canon::Isa::avx512 && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

std::unique_ptr<Operators> make_torch_operators(int threads, Precision precision, bool bf16_instructions) {
  if (bf16_instructions && !has_bf16_instructions()) {
    throw EngineError(ErrorCode::value_out_of_range, "bf16 instructions were asked for, and this processor has none");
  }
  if (precision == Precision::bf16 && bf16_instructions) return std::make_unique<Bf16Operators>(threads);
  return std::make_unique<TorchOperators>(threads, canon::kernels_of(canon::best_isa()), precision == Precision::bf16);
}

EngineError as_engine_error(std::exception_ptr thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const EngineError& error) {
    return error;
  } catch (const c10::OutOfMemoryError& error) {
    return {ErrorCode::out_of_memory, error.what_without_backtrace()};
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    const bool memory = message.find("not enough memory") != std::string::npos;  // how c10's CPU allocator says it
    return {memory ? ErrorCode::out_of_memory : ErrorCode::torch, message};
  } catch (const std::bad_alloc&) {
    return {ErrorCode::out_of_memory, "the engine ran out of memory"};
  } catch (const std::exception& error) {
    return {ErrorCode::torch, error.what()};
  } catch (...) {
    return {ErrorCode::torch, "the engine threw something that is not an exception"};
  }
}

std::string torch_version() { return TORCH_VERSION; }

std::string torch_cpu_capability() { return at::get_cpu_capability(); }

}  // namespace panthalia
