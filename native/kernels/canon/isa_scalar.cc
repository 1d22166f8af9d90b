#define PANTHALIA_ISA scalar
#define PANTHALIA_WIDTH 1
#include "kernels/canon/kernels.inc"
