#define PANTHALIA_ISA avx512
#define PANTHALIA_WIDTH 16
#include "kernels/canon/kernels.inc"
