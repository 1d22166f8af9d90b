#define PANTHALIA_ISA avx2
#define PANTHALIA_WIDTH 8
#include "kernels/canon/kernels.inc"
