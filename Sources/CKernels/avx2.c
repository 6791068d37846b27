// AVX2: at the rate of the float32 micro-kernel.

#ifdef __x86_64__

#define TARGET "avx2,fma"
#define WIDTH 8
#define CHAIN_ROWS 6
#define BLOCK_ROWS 6

#include "fused.h"

void ckernels_avx2(const ckernels_block *block) { compute_flushing(block); }

#endif
