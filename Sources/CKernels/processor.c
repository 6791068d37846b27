// Which implementations this processor can run.

#include "CKernels.h"

#ifdef __x86_64__

int ckernels_has_avx2(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

int ckernels_has_avx512_bf16(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl");
}

#else  // No other implementation than the scalar one.

void ckernels_avx2(const ckernels_block *block) { ckernels_scalar(block); }
void ckernels_avx512_bf16(const ckernels_block *block) { ckernels_scalar(block); }
int ckernels_has_avx2(void) { return 0; }
int ckernels_has_avx512_bf16(void) { return 0; }

#endif
