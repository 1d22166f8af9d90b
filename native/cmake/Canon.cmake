# Target `panthalia_canon`: opset canon-f32-v1 on the CPU, neither Node nor torch. The kernels are compiled once per
# instruction set and chosen at run time (kernels/canon/isa.cc checks for exactly these flags).
find_package(Threads REQUIRED)

add_library(panthalia_canon STATIC
  native/kernels/canon/canon_operators.cc
  native/kernels/canon/isa.cc
  native/kernels/canon/isa_avx2.cc
  native/kernels/canon/isa_avx512.cc
  native/kernels/canon/isa_scalar.cc
  native/kernels/canon/parallel_gemm.cc
  native/kernels/canon/parallel_attention.cc
  native/kernels/canon/thread_pool.cc)
target_include_directories(panthalia_canon PUBLIC native)
target_link_libraries(panthalia_canon PUBLIC panthalia_engine Threads::Threads)

set_source_files_properties(native/kernels/canon/isa_scalar.cc PROPERTIES
  COMPILE_OPTIONS "-fno-tree-vectorize;-fno-tree-slp-vectorize")
set_source_files_properties(native/kernels/canon/isa_avx2.cc PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma")
set_source_files_properties(native/kernels/canon/isa_avx512.cc PROPERTIES COMPILE_OPTIONS "${PANTHALIA_AVX512}")

# For tests/engine/canonKernels.test.ts and tests/slow: build only when asked for.
add_executable(panthalia_canon_elementary EXCLUDE_FROM_ALL native/test/canon_elementary.cc)
target_link_libraries(panthalia_canon_elementary PRIVATE panthalia_canon panthalia_engine)
add_executable(panthalia_canon_test EXCLUDE_FROM_ALL native/test/canon_test.cc)
target_link_libraries(panthalia_canon_test PRIVATE panthalia_canon panthalia_engine)
# For tests/engine/canonTraining.test.ts.
add_executable(panthalia_canon_training_test EXCLUDE_FROM_ALL native/test/canon_training_test.cc)
target_link_libraries(panthalia_canon_training_test PRIVATE panthalia_canon panthalia_engine)

# For tests/engine/canonGemm.test.ts.
add_executable(panthalia_canon_gemm_test EXCLUDE_FROM_ALL
  native/test/canon_gemm_test.cc
  native/test/canon_gemm_tilings.cc)
target_link_libraries(panthalia_canon_gemm_test PRIVATE panthalia_canon)
set_source_files_properties(native/test/canon_gemm_tilings.cc PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-Wno-unused-function")

# For tests/engine/canonAttention.test.ts.
add_executable(panthalia_canon_attention_test EXCLUDE_FROM_ALL native/test/canon_attention_test.cc)
target_link_libraries(panthalia_canon_attention_test PRIVATE panthalia_canon panthalia_engine)

# bench/step.mjs products.
add_executable(panthalia_bench_gemm EXCLUDE_FROM_ALL bench/gemm.cc)
target_link_libraries(panthalia_bench_gemm PRIVATE panthalia_canon libtorch)
# bench/attention.cc beside libtorch: `cmake --build build/cmake --target panthalia_bench_attention`.
add_executable(panthalia_bench_attention EXCLUDE_FROM_ALL bench/attention.cc)
target_link_libraries(panthalia_bench_attention PRIVATE panthalia_canon libtorch)
