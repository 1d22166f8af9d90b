#define PANTHALIA_ISA tilings
#define PANTHALIA_WIDTH 8
#include "canon_gemm_tilings.h"

#include "kernels/canon/gemm.h"

namespace panthalia::canon {

using namespace tilings;

const std::array<const GemmKernel*, 5> other_tilings = {
    &gemm_kernel<GemmTiling<1, 1, 1>>,  &gemm_kernel<GemmTiling<8, 3, 2>>, &gemm_kernel<GemmTiling<12, 2, 2>>,
    &gemm_kernel<GemmTiling<14, 2, 5>>, &gemm_kernel<GemmTiling<8, 6, 1>>,
};

}  // namespace panthalia::canon
