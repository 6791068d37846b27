// AVX-512: twice the rate of AVX2 where the processor multiplies vectors of 512 bits at once. On
// Intel's processors it is also faster than AVX512-BF16, whose instruction takes two cycles there.

#ifdef __x86_64__

#define TARGET "avx512f,avx512bw,avx512vl,avx2,fma"
#define WIDTH 16
#define CHAIN_ROWS 24
#define BLOCK_ROWS 12

#include "fused.h"

void ckernels_avx512(const ckernels_block *block) { compute_flushing(block); }

#endif
